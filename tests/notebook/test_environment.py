"""``--env``: cells and files in environments of their own, from a notebook."""

import os
import sys

import cloudpickle
import nbformat
import pytest

from amlnb.environments import interpreters
from amlnb.errors import AmlnbError, RunFailedError, UserErrorException
from amlnb.notebook.cell import CellException
from amlnb.notebook.environment import CellEnvironment
from amlnb.specs.environment_spec import EnvironmentSpec
from tests.environments.package_files import make_wheel

MINOR = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of packages, which is all that uv knows: two versions of ``spam``."""
    folder = tmp_path / "packages"
    for version in ("1.0", "2.0"):
        make_wheel(str(folder), "spam", version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return str(folder)


def test_a_cell_has_the_packages_it_asks_for_and_values_cross(run_cell, shelf):
    run_cell("numbers = {'a': [1, 2.5], 'b': (3, None)}\ndef doubled(x): return x * 2")
    run, _ = run_cell(
        "%%submit --env spam==1.0 --out version,again\nimport spam\nversion = spam.__version__\nagain = doubled(numbers['a'])"
    )
    assert run.result() == {"version": "1.0", "again": [1, 2.5, 1, 2.5]}
    assert "spam" not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "files"),
    [
        ("requirements.txt", {"requirements.txt": "spam==1.0\n"}),
        (
            "environment.yml",
            {"environment.yml": "dependencies:\n- python=3.6.2\n- pip:\n  - spam==1.0\n  - azureml-sdk\n"},
        ),
        ("spam==1.0,python=" + MINOR, {}),
        ("inline", {}),
    ],
)
def test_every_form_of_it(run_cell, shelf, tmp_path, word, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    metadata = '# /// script\n# dependencies = ["spam==1.0"]\n# ///\n'
    run, _ = run_cell(f"%%submit --env {word} --out version\n{metadata}import spam\nversion = spam.__version__")
    assert run.result() == {"version": "1.0"}


@pytest.mark.slow
def test_the_projects_own(run_cell, shelf, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.amlnb.env]\npackages = ["spam==1.0"]\n')
    run, _ = run_cell("%%submit --out version\nimport spam\nversion = spam.__version__")
    assert run.result() == {"version": "1.0"}
    run, _ = run_cell("%%submit --env spam==2.0 --out version\nimport spam\nversion = spam.__version__")
    assert run.result() == {"version": "2.0"}


@pytest.mark.slow
def test_a_setting_of_the_notebook(run_cell, shelf):
    run_cell("%submit_config env=spam==1.0")
    try:
        run, _ = run_cell("%%submit --out version\nimport spam\nversion = spam.__version__")
        assert run.result() == {"version": "1.0"}
    finally:
        run_cell("%submit_config env=")


@pytest.mark.slow
def test_a_registered_one_and_near_names(run_cell, shelf):
    run_cell(
        "import amlnb\nws = amlnb.Workspace.find_or_create()[0]\nenv = amlnb.Environment('my-spam')\n"
        "env.python.conda_dependencies = amlnb.CondaDependencies.create(pip_packages=['spam==1.0'])\n_ = env.register(ws)"
    )
    run, _ = run_cell("%%submit --env my-spam --out version\nimport spam\nversion = spam.__version__")
    assert run.result() == {"version": "1.0"}
    with pytest.raises(UserErrorException, match="my-spam"):
        run_cell("%%submit --env my-spma\nimport spam")


@pytest.mark.slow
def test_a_script(run_cell, shelf, tmp_path):
    (tmp_path / "train.py").write_text(
        '# /// script\n# dependencies = ["spam==1.0"]\n# ///\nimport sys, spam\nprint(spam.__version__, *sys.argv[1:])\n'
    )
    for word in ("inline", "spam==1.0"):
        run, _ = run_cell(f"%submit --env {word} train.py --epochs 3")
        assert "1.0 --epochs 3" in open_text(run.directory, "user_logs", "std_log.txt")


@pytest.mark.slow
def test_a_module_that_it_does_not_have(run_cell, shelf):
    """Told by the run as long as the environment is not there, and before it is submitted from then on."""
    with pytest.raises(RunFailedError) as error:
        run_cell("%%submit --env spam==1.0\nimport cv2")
    assert "--env spam==1.0,opencv-python" in str(error.value)
    with pytest.raises(CellException) as error:
        run_cell("%%submit --env spam==1.0\nimport cv2")
    assert "the environment spam==1.0 does not have" in str(error.value)
    assert "--env spam==1.0,opencv-python" in str(error.value)
    run_cell("%%submit --env spam==1.0\nimport spam, json, amlnb, azureml.core")


@pytest.mark.slow
def test_what_is_pickled_and_cannot_be_read_there(run_cell, shelf):
    run_cell("import collections\nclass Model:\n    pass\nwaiting = collections.deque([1, 2])")
    others = [each.minor for each in interpreters.find_all(os.environ) if each.minor != MINOR]
    if not others:
        pytest.skip("this machine has one Python only")
    with pytest.raises(AmlnbError) as error:
        run_cell(f"%%submit --env python={others[0]},spam\nprint(waiting)")
    assert "waiting" in str(error.value)
    assert others[0] in str(error.value)
    run_cell("import pandas\nframe = pandas.DataFrame({'size': [1], 'kind': pandas.Categorical(['x'])})")
    with pytest.raises(AmlnbError) as error:
        run_cell(f"%%submit --env python={others[0]},spam\nprint(frame)")
    assert "'kind' is category; convert it, such as frame['kind'].astype(str)" in str(error.value)


@pytest.mark.slow
def test_what_reads_functions_is_brought_along(run_cell, shelf):
    folder = os.path.dirname(cloudpickle.__file__)
    files = {f"cloudpickle/{name}": open_text(folder, name) for name in os.listdir(folder) if name.endswith(".py")}
    make_wheel(shelf, "cloudpickle", cloudpickle.__version__, files=files)
    run_cell("def maker(n):\n    def add(x):\n        return x + n\n    return [add]\nadders = maker(3)")
    run, _ = run_cell("%%submit --env spam==1.0 --out seven\nseven = adders[0](4)")
    assert run.result() == {"seven": 7}


def open_text(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def test_the_python_is_part_of_the_name():
    asked = EnvironmentSpec(origin="--env", python="3.9", pip=("pandas==1.1.5",))
    assert CellEnvironment(asked).name == "python=3.9, pandas==1.1.5"


@pytest.mark.slow
def test_a_dry_run_tells_it(run_cell, shelf):
    _, printed = run_cell("%%submit --dry-run --env spam==1.0\nimport spam")
    assert f"Python {MINOR} with spam==1.0 (--env; not built yet)" in printed
    run_cell("%%submit --env spam==1.0\nimport spam")
    _, printed = run_cell("%%submit --dry-run --env spam==1.0\nimport spam")
    assert "(--env; built)" in printed


REFUSED = {
    "nothing.txt": "nothing.txt",
    "python=3.99": "3.99",
    "inline": "no metadata",
    "'spam; rm -rf .'": "-rf",
    "'$(touch evil)'": "touch",
    "docker:": "image",
}


def test_what_is_refused_before_anything_is_submitted(run_cell, shelf):
    for word, told in REFUSED.items():
        with pytest.raises(AmlnbError) as error:
            run_cell(f"%%submit --env {word}\nprint(1)")
        assert told in str(error.value), word
        assert "hint: " in str(error.value), word
    assert not os.path.exists(".amlnb/runs") or not os.listdir(".amlnb/runs")


@pytest.mark.parametrize(("line", "is_told"), [("%%submit", True), ("%%submit --env python=3", False)])
def test_metadata_that_nothing_asks_for_are_told(run_cell, line, is_told):
    run, _ = run_cell(f"{line}\n# /// script\n# dependencies = []\n# ///\nprint(1)")
    told = "the cell says which packages it needs (# /// script): '--env inline' gives it those"
    assert (told in [each["message"] for each in run.wait_for_completion()["warnings"]]) is is_told


def test_metadata_of_a_script_that_nothing_asks_for_are_told(run_cell, tmp_path):
    (tmp_path / "train.py").write_text("# /// script\n# dependencies = []\n# ///\nprint(1)\n")
    run, _ = run_cell("%submit train.py")
    assert "train.py says which packages it needs" in str(run.wait_for_completion()["warnings"])


@pytest.mark.notebook
@pytest.mark.parametrize("python", [None, "3.10"])
def test_a_whole_notebook(run_cell, tmp_path, python):
    """What executes it is installed with what it asks for; its metadata stand in its first code cell."""
    if python is not None and python not in {each.minor for each in interpreters.find_all(os.environ)}:
        pytest.skip(f"this machine has no Python {python}")
    metadata = '# /// script\n# dependencies = ["six==1.16.0"]\n# ///\nimport six'
    code = "import amlnb, sys\namlnb.log(six=float(six.__version__[:4]), python=sys.version_info[1])"
    cells = [nbformat.v4.new_markdown_cell("# Six"), *map(nbformat.v4.new_code_cell, (metadata, code))]
    document = nbformat.v4.new_notebook(cells=cells)
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(document, tmp_path / "train.ipynb")
    word = "inline" if python is None else f"six==1.16.0,python={python}"
    run, _ = run_cell(f"%submit --env {word} train.ipynb")
    run.result()
    assert run.get_metrics() == {"six": 1.16, "python": int((python or MINOR).split(".")[1])}
    assert "outputs/train.output.ipynb" in run.get_file_names()
