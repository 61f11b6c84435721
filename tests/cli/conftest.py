"""The real program, in a project of its own."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from amlnb.api.workspace import Workspace


class Program:
    """`amlnb` as a person starts it in a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, *arguments, **options):
        options.setdefault("cwd", self.folder)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [sys.executable, "-m", "amlnb", *arguments], capture_output=True, text=True, check=False, **options
        )

    def start(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(
            [sys.executable, "-m", "amlnb", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, text=True, **options
        )

    def json(self, *arguments, code=0):
        done = self(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def script(self, text, name="script.py"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return name

    def submit(self, text, *arguments, options=(), name="script.py"):
        """Submit the text of a script; returns the id of its run."""
        done = self("submit", *options, self.script(text, name), *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def amlnb(tmp_path):
    """The program in an empty project with a workspace."""
    folder = tmp_path / "project"
    folder.mkdir()
    Workspace.find_or_create(str(folder))
    return Program(folder)
