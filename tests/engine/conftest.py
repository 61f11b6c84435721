"""A workspace and scripts to submit to it."""

import textwrap

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace in a folder of its own, which is the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return Workspace.find_or_create(str(project))[0]


@pytest.fixture
def submit(workspace, tmp_path):
    """Submit the text of a script; returns its Run."""

    def submit_(text, *arguments, experiment="test", name="script.py", **config):
        source = tmp_path / f"source-{len(list(tmp_path.iterdir()))}"
        source.mkdir()
        (source / name).write_text(textwrap.dedent(text), encoding="utf-8")
        configuration = ScriptRunConfig(str(source), name, arguments=list(arguments), **config)
        return Experiment(workspace, experiment).submit(configuration)

    return submit_
