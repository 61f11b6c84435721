"""The front end: its own checks and tests, what a build of it weighs, and that JupyterLab takes it."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amlnb import version

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "labextension"
BUILT = ROOT / "build" / "labextension"
LIMIT_BYTES = 400_000  # of all that a page loads, compressed


def npm(*words):
    if shutil.which("npm") is None or not (FOLDER / "node_modules").exists():
        pytest.skip("no node on this machine: apt-get install nodejs npm")
    done = subprocess.run(["npm", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["types", "lint", "format", "test"])
def test_its_own_check_passes(script):
    npm("run", "--silent", script)


def test_its_scripts_stay_within_their_size():
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), 9))
        for path in BUILT.rglob("*.*")
        if path.suffix in {".js", ".css"}
    }
    assert sum(sizes.values()) <= LIMIT_BYTES, sizes


def test_the_lock_file_holds_no_address_of_a_registry():
    packages = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    assert len(packages) > 100
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_jupyterlab_takes_it_under_our_version():
    assert json.loads((BUILT / "package.json").read_text())["version"] == version.__version__
    told = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"], capture_output=True, text=True, check=False
    )
    [line] = [line for line in (told.stdout + told.stderr).splitlines() if line.split()[:1] == ["amlnb"]]
    assert f"v{version.__version__}" in line
    assert "OK" in line


def test_jupyter_server_takes_the_server_extension():
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (told.stdout + told.stderr).splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["amlnb.server"])
    assert "enabled" in lines[at]
    assert "OK" in "".join(lines[at + 1 : at + 3])
