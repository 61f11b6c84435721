"""Outputs of runs in a saved notebook, brought up to date after the kernel is gone."""

import json
import os
import stat
import subprocess
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.api.experiment import Experiment
from amlnb.api.run_outputs import DETAILS_MIME, RUN_MIME, still_outputs, stopped_output
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.notebook import refresh as refreshing
from amlnb.notebook.refresh import refresh
from amlnb.notebook.saved_notebook import SavedOutput, find_outputs, replaced, with_data

pytestmark = pytest.mark.slow


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create(str(tmp_path))[0], "saved")


@pytest.fixture
def run(experiment):
    run = experiment.start_logging(snapshot_directory=None, display_name="softmax ü")
    run.log("loss", 1.0)
    run.log("loss", 0.5)
    return run


def shown(run):
    """The two outputs of a run as a kernel sends them."""
    return [
        nbformat.v4.new_output("display_data", data=dict(output.data), metadata=dict(output.metadata))
        for output in still_outputs(RunTail(run.directory))
    ]


def notebook(*cells):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 'é'", outputs=list(outs)) for outs in cells])
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
    return made


def saved(path, *cells):
    nbformat.write(notebook(*cells), path)
    return path


def data(path, cell=0):
    return [output.get("data") for output in nbformat.read(path, 4).cells[cell].outputs]


def test_the_final_outputs_take_the_place_of_those_that_stood_still(run, tmp_path):
    stream = nbformat.v4.new_output("stream", text="amlnb: submitted\n")
    path = saved(tmp_path / "a.ipynb", [stream, *shown(run)], [])
    assert "as of" in data(path)[1]["text/plain"]
    run.complete()
    found = refresh(str(path))
    assert (found.refreshed, found.unchanged, found.going, found.gone) == (2, 0, (), ())
    _, picture, details = data(path)
    assert picture[RUN_MIME]["state"] == "Completed"
    assert set(picture) == {RUN_MIME, "text/plain", "image/png"}
    assert set(details) == {DETAILS_MIME, "text/html", "text/plain"}
    assert "as of" not in str((picture, details))
    assert nbformat.read(path, 4).cells[0].outputs[0] == stream
    before = os.stat(path)
    found = refresh(str(path))
    assert (found.refreshed, found.unchanged) == (0, 2)
    assert os.stat(path).st_mtime_ns == before.st_mtime_ns


def test_what_is_written_is_what_jupyter_would_have_written(run, tmp_path):
    path = saved(tmp_path / "a.ipynb", shown(run), [])
    run.complete()
    refresh(str(path))
    text = path.read_text(encoding="utf-8")
    saved(path, shown(run), [])
    assert text == path.read_text(encoding="utf-8")


def test_a_run_that_goes_on_gets_its_present_state_and_tells_as_of_when(run, tmp_path):
    path = saved(tmp_path / "a.ipynb", shown(run))
    run.log("loss", 0.25)
    found = refresh(str(path), clock=lambda: 1e9)
    assert (found.refreshed, found.going) == (2, (run.id,))
    picture, details = data(path)
    assert "3 points" in picture["text/plain"]
    assert "as of 2001-09-0" in picture["text/plain"]
    assert "as of 2001-09-0" in details["text/html"]
    run.complete()


def test_a_run_that_is_gone_keeps_what_it_shows(run, experiment, tmp_path):
    other = experiment.start_logging(snapshot_directory=None)
    path = saved(tmp_path / "a.ipynb", shown(run), shown(other))
    for each in (run, other):
        each.complete()
    os.rename(run.directory, str(tmp_path / "away"))
    before = data(path)
    found = refresh(str(path))
    assert (found.refreshed, found.gone) == (2, (run.id,))
    assert data(path) == before


def test_a_view_that_had_stopped_becomes_the_final_one(run, tmp_path):
    picture, _ = shown(run)
    stopped = nbformat.v4.new_output("display_data", data=stopped_output(OSError("gone")).data)
    path = saved(tmp_path / "a.ipynb", [picture, stopped])
    run.complete()
    assert refresh(str(path)).refreshed == 2


def test_what_else_is_told_of_an_output_is_kept(run, tmp_path):
    outputs, own = shown(run), {"collapsed": True, "mine": {"x": 1}}
    for output in outputs:
        output.metadata = {**output.metadata, **own}
    path = saved(tmp_path / "a.ipynb", outputs)
    run.complete()
    assert refresh(str(path)).refreshed == 2
    picture, details = nbformat.read(path, 4).cells[0].outputs
    assert details.metadata == own
    assert picture.metadata == {**own, **shown(run)[0].metadata}
    assert refresh(str(path)).unchanged == 2


def test_metadata_of_a_representation_that_is_gone_goes_with_it():
    content = {"data": {"text/plain": "a", "image/svg+xml": "b"}, "metadata": {"image/svg+xml": {"isolated": True}}}
    new = with_data(SavedOutput(0, 0, 0, content), {"text/plain": "c"}, {})
    assert new == {"data": {"text/plain": "c"}, "metadata": {}}


def test_tables_of_another_run_are_not_taken_for_this_one_s(run, experiment, tmp_path):
    other = experiment.start_logging(snapshot_directory=None)
    mine, theirs = shown(run), shown(other)
    path = saved(tmp_path / "a.ipynb", [mine[0], theirs[1]], [mine[1]])
    for each in (run, other):
        each.complete()
    assert refresh(str(path)).refreshed == 1


STYLES = {
    "as Jupyter writes it": lambda made: json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
    "no newline at the end": lambda made: json.dumps(made, indent=1, ensure_ascii=False),
    "two spaces, escaped": lambda made: json.dumps(made, indent=2),
    "tabs": lambda made: json.dumps(made, indent="\t", ensure_ascii=False) + "\n\n",
    "on one line": json.dumps,
    "line ends of Windows": lambda made: json.dumps(made, indent=1).replace("\n", "\r\n"),
    "with a byte order mark": lambda made: "\ufeff" + json.dumps(made, indent=1),
    "numbers and escapes of another writer": lambda made: json.dumps(made, indent=1).replace(
        '"nbformat": 4', '"x\\/y": [1.50, 1E5, -0.0, "\\u00E9"], "nbformat": 4'
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_everything_else_in_the_file_stays_as_it_is(run, tmp_path, style):
    path = tmp_path / "a.ipynb"
    text = STYLES[style](notebook([], shown(run), []))
    path.write_bytes(text.encode())
    run.complete()
    assert refresh(str(path)).refreshed == 2
    after = path.read_bytes().decode()
    outputs, new = find_outputs(text, "a"), find_outputs(after, "a")
    assert [output.content["data"] for output in new] != [output.content["data"] for output in outputs]
    bare = [
        "".join(
            part[a:b] for a, b in zip([0, *[o.end for o in found]], [*[o.begin for o in found], len(part)], strict=True)
        )
        for part, found in ((text, outputs), (after, new))
    ]
    assert bare[0] == bare[1]
    newlines = ("\r\n" in text, "\n" in text)
    assert ("\r\n" in after, "\n" in after) == newlines
    assert after.count("\r") == (after.count("\n") if newlines[0] else 0)
    json.loads(after.removeprefix("\ufeff"))


def test_an_output_is_indented_as_its_place_is(run, tmp_path):
    made = notebook(shown(run))
    text = json.dumps(made, indent=2, sort_keys=True)
    outputs = find_outputs(text, "a")
    assert replaced(text, [(output, output.content) for output in outputs]) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([None, 1, "\t"]),
)
def test_outputs_are_found_whatever_stands_around_them(anything, indent):
    output = {"output_type": "display_data", "data": {"x": anything}}
    cells = [
        {"outputs": [anything, output], "z": anything},
        anything,
        {"a": anything, "outputs": [output]},
        {"outputs": {}},
    ]
    text = json.dumps({"a": anything, "nbformat": 4, "cells": cells, "z": anything}, indent=indent)
    found = [each for each in find_outputs(text, "a") if each.content == output]
    assert [each.cell for each in found if each.cell in (0, 2)] == [0] * (1 + (anything == output)) + [2]
    assert all(json.loads(text[each.begin : each.end]) == each.content for each in found)
    changed = replaced(text, [(each, {"new": 1}) for each in found])
    assert len(json.loads(changed)["cells"]) == 4


def test_mode_and_links_stay(run, tmp_path):
    path = saved(tmp_path / "real.ipynb", shown(run))
    os.chmod(path, 0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to("real.ipynb")
    run.complete()
    refresh(str(link))
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert data(path)[0][RUN_MIME]["state"] == "Completed"
    assert sorted(os.listdir(tmp_path)) == [".amlnb", "link.ipynb", "outputs", "real.ipynb"]


def test_a_notebook_that_was_saved_meanwhile_is_left_alone(run, tmp_path, monkeypatch):
    path = saved(tmp_path / "a.ipynb", shown(run))
    run.complete()

    def saved_meanwhile(text, changes):
        path.write_text("{}")
        return replaced(text, changes)

    monkeypatch.setattr(refreshing, "replaced", saved_meanwhile)
    with pytest.raises(UserErrorException, match="written to meanwhile"):
        refresh(str(path))
    assert path.read_text() == "{}"
    assert sorted(os.listdir(tmp_path)) == [".amlnb", "a.ipynb", "outputs"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no notebook"),
        (b"{", "is no notebook"),
        (b"[]", "has no 'nbformat'"),
        (b'{"cells": []}', "has no 'nbformat'"),
        (b'{"nbformat": "4", "cells": []}', "has no 'nbformat'"),
        (b'{"nbformat": 3, "worksheets": []}', "notebook of format 3"),
        (b'{"nbformat": 4, "cells": {}}', "notebook of format 4"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 100_000, "is no notebook"),
    ],
)
def test_what_is_no_notebook_is_refused_and_left_alone(experiment, tmp_path, content, said):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(UserErrorException, match=said):
        refresh(str(path))
    assert path.read_bytes() == content


def test_a_notebook_without_runs_needs_no_workspace(tmp_path):
    path = saved(tmp_path / "a.ipynb", [nbformat.v4.new_output("stream", text="x")])
    assert refresh(str(path)).refreshed == 0


def amlnb(*words, cwd):
    return subprocess.run([sys.executable, "-m", "amlnb", *words], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_command_says_what_it_did(run, tmp_path):
    path = saved(tmp_path / "a.ipynb", shown(run))
    (tmp_path / "b.ipynb").write_text("no notebook")
    run.complete()
    done = amlnb("notebook", "refresh", "b.ipynb", "none.ipynb", str(path), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == f"{path}: 2 of 2 outputs refreshed\n"
    assert "'b.ipynb' is no notebook" in done.stderr
    assert "none.ipynb" in done.stderr
    done = amlnb("notebook", "refresh", "--json", "a.ipynb", cwd=tmp_path)
    assert json.loads(done.stdout) == {
        "notebooks": [{"path": "a.ipynb", "refreshed": 0, "unchanged": 2, "going": [], "gone": []}]
    }
