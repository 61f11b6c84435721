import math
import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.api.experiment import Experiment
from amlnb.api.runs_table import runs_table
from amlnb.api.workspace import Workspace
from amlnb.core import states
from amlnb.errors import UserErrorException
from amlnb.live.glance import glance_at_curve
from amlnb.notebook.runs_output import runs_outputs
from amlnb.tracking.create import create_run
from amlnb.tracking.tracked_run import TrackedRun


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


def made(workspace, experiment, name, *, steps=5, scale=1.0, parameters=None, end="complete"):
    """A run that logged a loss and an accuracy."""
    run = Experiment(workspace, experiment).start_logging(name, snapshot_directory=None)
    run.add_properties({f"param.{key}": str(value) for key, value in (parameters or {}).items()})
    for step in range(steps):
        run.log("loss", scale * math.exp(-step), step=step)
        run.log("accuracy", 1 - scale * math.exp(-step), step=step)
    if end == "complete":
        run.complete()
    elif end == "fail":
        run.fail(error_details="boom: it is too large")
    return run


@pytest.fixture
def runs(workspace):
    """Four runs of one experiment, the oldest first; the last one is going."""
    yield [
        made(workspace, "digits", "first", scale=1.0, parameters={"rate": 0.1, "width": 2}),
        made(workspace, "digits", "second", scale=0.5, parameters={"rate": 0.1, "width": 10}),
        made(workspace, "digits", "third", scale=2.0, parameters={"rate": 0.1, "width": 3}, end="fail"),
        (going := made(workspace, "digits", "fourth", scale=3.0, steps=1, parameters={"rate": 0.1}, end="")),
    ]
    going.complete()


def names(table):
    return [row.display_name for row in table.view.rows]


def test_an_experiment_shows_its_runs_the_newest_first(runs, capsys):
    runs[0].experiment.show()
    title, common, as_of, head, *rows = capsys.readouterr().out.splitlines()
    assert title == "experiment digits: 4 runs"
    assert common == "all with rate = 0.1"
    assert as_of.startswith("as of 20")  # one is going
    assert head.split()[:5] == ["run", "width", "loss", "accuracy", "curve"]
    assert [row.split()[1] for row in rows] == [states.RUNNING, states.FAILED, states.COMPLETED, states.COMPLETED]
    assert [row.split()[2:4] for row in rows] == [["#4", "fourth"], ["#3", "third"], ["#2", "second"], ["#1", "first"]]
    assert rows[1].endswith("boom: it is too large")
    assert [row.count("★") for row in rows] == [0, 0, 2, 0]
    assert [row.count("█") > 0 for row in rows] == [False, True, True, True]  # one point is no curve


def test_a_table_of_runs_that_have_ended_tells_no_time(runs):
    runs[3].complete()
    assert "as of" not in str(runs_table(runs[0].experiment.workspace.directory, "digits"))


def test_runs_of_several_experiments_have_no_best(workspace, runs):
    made(workspace, "other", "fifth", scale=0.1, parameters={})
    assert "★" not in str(runs_table(workspace.directory))
    assert "★" in str(runs_table(workspace.directory, "digits"))


def test_archived_runs_and_children_are_left_out(workspace, runs):
    runs[0].archive()
    child = runs[3].child_run()
    assert names(runs_table(workspace.directory, "digits")) == ["fourth", "third", "second"]
    child.complete()


def test_archived_experiments_are_left_out_unless_they_are_asked_for(workspace, runs):
    other = made(workspace, "other", "alone").experiment
    other.archive()
    assert "alone" not in names(runs_table(workspace.directory))
    assert "other" not in workspace._repr_html_()
    assert names(runs_table(workspace.directory, "other")) == ["alone"]


@pytest.mark.parametrize(
    ("by", "ascending", "order"),
    [
        (None, None, ["fourth", "third", "second", "first"]),
        ("loss", None, ["second", "first", "third", "fourth"]),
        ("loss", False, ["fourth", "third", "first", "second"]),
        ("accuracy", None, ["second", "first", "third", "fourth"]),
        ("width", None, ["first", "third", "second", "fourth"]),  # as numbers; without a value last
        ("width", False, ["second", "third", "first", "fourth"]),
        ("created", None, ["first", "second", "third", "fourth"]),
        ("name", None, ["first", "fourth", "second", "third"]),
    ],
)
def test_runs_are_sorted_by_whatever_column(workspace, runs, by, ascending, order):
    assert names(runs_table(workspace.directory, "digits", sort_by=by, ascending=ascending)) == order


def test_the_rows_and_the_metrics_are_chosen(workspace, runs):
    view = runs_table(workspace.directory, "digits", limit=2, metrics=["accuracy"]).view
    assert (len(view.rows), view.total) == (2, 4)
    assert {row.curve_of for row in view.rows} == {"accuracy"}


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"metrics": ["acuracy"]}, "did you mean 'accuracy'"),
        ({"sort_by": "widht"}, "did you mean 'width'"),
        ({"limit": 0}, "give a limit"),
    ],
)
def test_what_is_not_there_is_told(workspace, runs, wanted, told):
    with pytest.raises(UserErrorException, match=told):
        runs_table(workspace.directory, "digits", **wanted)


def test_the_table_of_a_workspace_names_the_experiments(workspace, runs):
    made(workspace, "other", "alone")
    (output,) = runs_outputs(workspace)
    assert set(output.data) == {"text/html", "text/plain"}
    assert "5 runs" in output.data["text/plain"]
    assert "other#1 alone" in output.data["text/plain"]
    assert "digits#4" in output.data["text/html"]
    (output,) = runs_outputs(workspace, "other", limit=1)
    assert "experiment other: 1 run\n" in output.data["text/plain"]
    with pytest.raises(UserErrorException, match="did you mean 'digits'"):
        runs_outputs(workspace, "digit")


def test_an_experiment_without_runs_has_a_table_too(workspace, capsys):
    Experiment(workspace, "nothing").show(metrics=["loss"], sort_by="loss")
    assert capsys.readouterr().out == "experiment nothing: no runs yet.\n"


def test_a_table_holds_nothing_that_changes_by_itself(workspace, runs):
    runs[3].complete()
    assert runs_outputs(workspace, "digits") == runs_outputs(workspace, "digits")


def test_a_damaged_run_is_counted_and_hides_nothing(workspace, runs):
    damaged, halved = runs[0].directory, runs[1].directory
    with open(os.path.join(damaged, "run.json"), "w", encoding="utf-8") as file:
        file.write("{")
    assert names(runs_table(workspace.directory, "digits")) == ["fourth", "third", "second"]
    # This one is in the index; only its curve cannot be read any more.
    (metrics,) = (name for name in os.listdir(f"{halved}/journals") if name.endswith(".metrics"))
    os.rename(f"{halved}/journals/{metrics}", f"{halved}/aside")
    os.mkdir(f"{halved}/journals/{metrics}")
    table = runs_table(workspace.directory, "digits")
    assert names(table) == ["fourth", "third", "second"]
    assert table.view.rows[2].curve == ()
    assert "1 run cannot be read: 'amlnb run list' tells why" in repr(table)


def test_the_size_of_what_a_run_left_is_told(workspace):
    run = Experiment(workspace, "digits").start_logging(snapshot_directory=None)
    run.upload_file("model.bin", io_file(2000))
    run.complete()
    assert runs_table(workspace.directory).view.rows[0].output_bytes == 2000


def io_file(size):
    with open("upload.bin", "wb") as file:
        file.write(b"x" * size)
    return os.path.abspath("upload.bin")


def test_a_curve_that_several_processes_wrote_is_one(workspace):
    """A run that was started again goes on in a second journal; other ranks' journals are their own."""
    run = Experiment(workspace, "digits").start_logging(snapshot_directory=None)
    for role, values in (("10", [9.0, 9.0]), ("0", [3.0, 2.0]), ("0", [1.0, 0.0])):
        again = TrackedRun(run.directory, run.id, "digits", role, owned=False)
        for value in values:
            again.log("loss", value)
    assert glance_at_curve(run.directory, "loss", 16) == (3.0, 2.0, 1.0, 0.0)
    run.complete()


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.none()))
)
@settings(max_examples=40, deadline=None)
def test_a_glance_at_a_short_curve_sees_all_its_plain_numbers(logged):
    with tempfile.TemporaryDirectory() as folder:
        record = {
            "id": "r",
            "experiment": "e",
            "type": None,
            "created": 1.0,
            "home": {"kind": "local"},
            "target": "local",
        }
        directory = create_run(folder, record)
        run = TrackedRun(directory, "r", "e", "0", owned=False)
        for name, value in logged:
            run.log(name, value)
        numbers = [value for name, value in logged if name == "a" and value is not None]
        plain = [float(value) for value in numbers if isinstance(value, float) or -(2**63) <= value < 2**63]
        seen = glance_at_curve(directory, "a", 10_000)
        assert list(map(repr, seen)) == (list(map(repr, plain)) if len(plain) > 1 else [])


def test_a_long_curve_is_sampled_with_its_last_point(workspace):
    run = Experiment(workspace, "digits").start_logging(snapshot_directory=None)
    for step in range(6000):
        run.log("loss", float(step), step=step)
        run.log("whole", step, step=step)
        run.log("text", "x") if step < 3 else None
    for name in ("loss", "whole"):
        found = glance_at_curve(run.directory, name, 16)
        assert len(found) == 16
        assert list(found) == sorted(found)
        assert found[0] == 0.0
        assert found[-1] == 5999.0
    assert glance_at_curve(run.directory, "text", 16) == ()
    assert glance_at_curve(run.directory, "nothing", 16) == ()
    run.complete()
