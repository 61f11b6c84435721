"""What to do about a module that a run did not find: the package that has it, and the line to add it with."""

from __future__ import annotations

import re

from amlnb.core import coercion
from amlnb.core.distributions import known_distribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

# Kept with a run that is a notebook's cell.
_OF_A_CELL = "notebook.cell_line"
_ERRORS = ("ModuleNotFoundError", "ImportError")
_MESSAGE = re.compile(r"No module named '?([\w.]+)'?(; '[\w.]+' is not a package)?", re.ASCII)
_REMOVED = {
    "3.12": "asynchat asyncore imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap nis nntplib ossaudiodev pipes sndhdr spwd sunau "
    "telnetlib uu xdrlib",
}
_OF_PYTHON_2 = "ConfigParser HTMLParser Queue StringIO Tkinter __builtin__ cPickle commands httplib urllib2 urlparse"
_WITH_PYTHON = ("tkinter", "turtle", "curses", "sqlite3", "ssl", "lzma", "bz2", "ctypes", "readline")
# What people call files of their own; packages of these names are rarely what was meant.
_OF_ONES_OWN = (
    "common config constants data data_utils dataset helper helpers loss losses metrics model models my_utils net "
    "network networks preprocess preprocessing settings src tools train train_utils trainer util utils"
)
_QUOTED = re.compile(r"[\s<>;|&*!'\[\]$]")


def advice(error: str, message: str, record: Dict[str, Any]) -> Optional[str]:
    """Tell what to do about an uncaught error; None if it is not about a module that is missing.

    Parameters
    ----------
    error
        Name of its class.
    message
        Its text, such as ``No module named 'cv2'``.
    record
        The run's record: by its definition is told where the package is added.
    """
    found = _MESSAGE.match(message) if error in _ERRORS else None
    if found is None:
        return None
    module = found.group(1)
    top = module.partition(".")[0]
    if found.group(2):
        return f"a file {top}.py, or a module of that name, stands in the way of the package {top}: rename it"
    if top == "azureml":
        return f"amlnb does not have {module}, a part of Azure ML's SDK that works only with the cloud"
    distribution = known_distribution(module)
    if module != top and distribution == known_distribution(top):
        return f"{top} is there, and has no {module}: another version of {distribution or top} may have it"
    told = _of_python(module)
    if told:
        return told
    is_cell = _OF_A_CELL in coercion.mapping(record.get("properties"))
    if distribution is None and top in _OF_ONES_OWN.split():
        carried = f"'--with {top}.py' takes it along" if is_cell else "it must lie in the source directory"
        return f"{top} looks like a file of your own: {carried}"
    return _line(distribution or top, coercion.mapping(record.get("definition")), is_cell)


def _of_python(module: str) -> Optional[str]:
    for version, modules in _REMOVED.items():
        if module in modules.split():
            return f"{module} left Python with {version}: take an older Python, or another module"
    if module in _OF_PYTHON_2.split():
        return f"{module} is a module of Python 2: the code must be changed for Python 3"
    if module.lstrip("_") in _WITH_PYTHON or module.startswith("_"):
        return f"this Python was built without {module}: take another Python for the run"
    return None


def _line(distribution: str, definition: Dict[str, Any], is_cell: bool) -> str:
    """Where a package is added, and what is written there."""
    asked = definition.get("environment")
    if not isinstance(asked, dict):
        if is_cell:
            return f"%pip install {_quoted(distribution)}"
        return f"{definition.get('interpreter') or 'python'} -m pip install {_quoted(distribution)}"
    origin = str(asked.get("origin") or "")
    if asked.get("dockerfile"):
        return f"add the line 'RUN python3 -m pip install {_quoted(distribution)}' to {origin or 'the Dockerfile'}"
    if asked.get("image"):
        return (
            f"the image {asked['image']} does not have it: a Dockerfile 'FROM {asked['image']}' with "
            f"'RUN python3 -m pip install {_quoted(distribution)}' makes one that has"
        )
    if asked.get("interpreter"):
        return f"{definition.get('interpreter') or asked['interpreter']} -m pip install {_quoted(distribution)}"
    return _line_of_packages(distribution, asked, origin)


def _line_of_packages(distribution: str, asked: Dict[str, Any], origin: str) -> str:
    name = asked.get("name")
    if name and name == origin:
        return (
            f"{name} does not have it; take a copy: environment = Environment.get(workspace, {name!r}).clone('mine'), "
            f"then environment.python.conda_dependencies.add_pip_package({distribution!r})"
        )
    if name and asked.get("version"):
        return (
            f"environment.python.conda_dependencies.add_pip_package({distribution!r}) on the environment {name!r}, "
            "then register it again"
        )
    if origin.endswith((".txt", ".in")):
        return f"add the line '{distribution}' to {origin}"
    if origin.endswith((".yml", ".yaml")):
        return f"add '- {distribution}' below '- pip:' in {origin}"
    if origin == "--env":
        words = [*_python(asked.get("python")), *coercion.texts(asked.get("pip")), distribution]
        return f"--env {_quoted(','.join(words))}"
    if origin.startswith("the metadata of"):
        return f"add '{distribution}' to the dependencies in {origin}"
    if origin.startswith("["):
        return f"add '{distribution}' to packages of {origin}"
    return f"environment.python.conda_dependencies.add_pip_package({distribution!r})"


def _python(version: object) -> List[str]:
    if not isinstance(version, str):
        return []
    return ["python" + (version if version[:1] in "<>=!~" else "=" + version)]


def _quoted(word: str) -> str:
    return f'"{word}"' if _QUOTED.search(word) else word
