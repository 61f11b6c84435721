"""A workspace, scripts to submit to it, and file systems that are full or read-only."""

import os
import subprocess
import tempfile
import textwrap

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.tracking import faults


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    """What this process has told, and keeps to be tried again, is of one test."""
    monkeypatch.setattr(faults, "told", [])
    monkeypatch.setattr(faults, "kept", [])


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace in a folder of its own, which is the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return Workspace.find_or_create(str(project))[0]


@pytest.fixture
def submit(tmp_path):
    """Submit the text of a script to a workspace; returns its Run."""

    def submit_(workspace, text, *arguments, experiment="test"):
        source = tempfile.mkdtemp(dir=tmp_path)
        with open(os.path.join(source, "script.py"), "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return Experiment(workspace, experiment).submit(ScriptRunConfig(source, "script.py", arguments=list(arguments)))

    return submit_


def _mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system must be mounted for this, and cannot be here: {done.stderr.strip()}")


@pytest.fixture
def mount(tmp_path):
    """Mount something on a new folder, for this test; returns the folder's path."""
    mounted = []

    def mount_(*arguments):
        folder = str(tmp_path / f"mount{len(mounted)}")
        os.mkdir(folder)
        _mount(*arguments, folder)
        mounted.append(folder)
        return folder

    yield mount_
    for folder in reversed(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


class Disk:
    """A small file system that can be filled and freed."""

    def __init__(self, folder):
        self.folder = folder
        self._filler = os.path.join(folder, "filler")

    def fill(self):
        with open(self._filler, "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def free(self):
        os.unlink(self._filler)


@pytest.fixture
def make_disk(mount):
    """Make a small disk of the test's own."""
    return lambda options: Disk(mount("-t", "tmpfs", "-o", options, "tmpfs"))


@pytest.fixture
def disk(make_disk, monkeypatch):
    """A disk of 4 MB, which is the working directory."""
    disk = make_disk("size=4m")
    monkeypatch.chdir(disk.folder)
    return disk


@pytest.fixture
def small_workspace(disk):
    """A workspace on that disk."""
    return Workspace.find_or_create(disk.folder)[0]
