"""What cells that evaluate to a run, an experiment, a workspace or a comparison show, in a real kernel."""

import os

import pytest
from nbclient import NotebookClient
from nbformat import v4

from amlnb.api.experiment import Experiment
from amlnb.api.run_outputs import DETAILS_MIME
from amlnb.api.workspace import Workspace

SETUP = """import amlnb
workspace = amlnb.Workspace.from_config()
experiment = workspace.experiments["digits"]
second, first = experiment.get_runs()
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find_or_create(str(tmp_path))[0]
    for name in ("first", "second"):
        run = Experiment(workspace, "digits").start_logging(name, snapshot_directory=None)
        run.log("loss", 2.0)
        run.log("loss", 1.0)
        run.complete()
    return workspace


def shown(*cells):
    """Bundles that each cell shows, `setup` first."""
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in (SETUP, *cells)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute(cwd=os.getcwd())
    return [
        [dict(output.get("data", {"stream": output.get("text")})) for output in cell.outputs]
        for cell in notebook.cells[1:]
    ]


@pytest.mark.slow
def test_values_show_themselves_without_the_extension(workspace):
    run, runs, experiment, home, table, compared = shown(
        "first", "[first]", "experiment", "workspace", "experiment.show(sort_by='name')", "amlnb.compare(first, second)"
    )
    assert [set(bundle) for bundle in run] == [{"text/html", "text/plain"}]
    assert "Completed" in run[0]["text/html"]
    assert "█" in run[0]["text/html"]
    assert run[0]["text/plain"].startswith("Run(Experiment: digits,\nId: ")
    assert [set(bundle) for bundle in runs] == [{"text/plain"}]
    assert "experiment digits: 2 runs" in experiment[0]["text/html"]
    assert experiment[0]["text/plain"].startswith("Experiment(Name: digits")
    assert "✓\N{NO-BREAK SPACE}Completed" in home[0]["text/html"]
    assert home[0]["text/plain"].startswith("Workspace.create(")
    assert [set(bundle) for bundle in table] == [{"text/html", "text/plain"}]
    assert table[0]["text/plain"].startswith("experiment digits: 2 runs\n")
    assert [set(bundle) for bundle in compared] == [{"image/png", "text/plain"}, *[{"text/html", "text/plain"}] * 2]


@pytest.mark.slow
def test_with_the_extension_the_live_view_of_a_run_is_shown_and_nothing_twice(workspace):
    (_, run) = shown("%load_ext amlnb", "first")
    assert ["image/png" in bundle for bundle in run] == [True, False]
    assert [set(bundle) for bundle in run][1] == {DETAILS_MIME, "text/html", "text/plain"}


def test_a_run_that_cannot_be_read_shows_its_name_only(workspace):
    run = next(Experiment(workspace, "digits").get_runs())
    os.rename(run.directory, run.directory + "-gone")
    del run._kept_reader
    assert run._repr_html_() is None


def test_without_a_notebook_a_table_is_printed(workspace, capsys):
    Experiment(workspace, "digits").show()
    assert capsys.readouterr().out.startswith("experiment digits: 2 runs\n")
    assert Experiment(workspace, "nothing")._repr_html_() == "<div>experiment nothing: no runs yet.</div>"
