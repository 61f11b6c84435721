"""Outside of a run: what would have been kept is printed, in v1's words; and `amlnb.log` on both sides."""

import os
import subprocess
import sys

import pytest

import amlnb
from amlnb.errors import RunEnvironmentException, UserErrorException
from amlnb.tracking import context
from amlnb.tracking.offline import OfflineRun


@pytest.fixture
def run():
    run = amlnb.Run.get_context()
    assert isinstance(run, OfflineRun)
    return run


@pytest.mark.parametrize(
    ("call", "printed"),
    [
        (lambda run: run.log("loss", 0.5), "Attempted to log scalar metric loss:\n0.5\n"),
        (lambda run: run.log("loss", 0.5, step=3), "Attempted to log scalar metric loss:\n0.5\n"),
        (lambda run: run.log_list("l", [1, 2]), "Attempted to log list l:\n[1, 2]\n"),
        (lambda run: run.log_row("r", x=1), "Attempted to log row r:\n{'x': 1}\n"),
        (lambda run: run.log_table("t", {"x": [1]}), "Attempted to log table t:\n{'x': [1]}\n"),
        (lambda run: run.log_image("i", path="a.png"), "Attempted to log image i:\na.png\n"),
        (lambda run: run.log_confusion_matrix("c", {"a": 1}), "Attempted to log confusion matrix c:\n{'a': 1}\n"),
        (lambda run: run.log_accuracy_table("a", "{}"), "Attempted to log accuracy table a:\n{}\n"),
        (lambda run: run.log_residuals("s", {}), "Attempted to log residuals s:\n{}\n"),
        (lambda run: run.log_predictions("p", {}), "Attempted to log predictions p:\n{}\n"),
        (lambda run: run.tag("k", "v"), "Attempted to add tag k with value v\n"),
        (
            lambda run: run.set_tags({"k": 1, "l": None}),
            "Attempted to add tag k with value 1\nAttempted to add tag l with value None\n",
        ),
        (lambda run: run.add_properties({"p": 1}), "Attempted to add properties {'p': 1}\n"),
        (lambda run: run.upload_file("n", "p"), "Attempted to track file n at p\n"),
        (
            lambda run: run.upload_files(["n", "m"], ["p", "q"]),
            "Attempted to track file n at p\nAttempted to track file m at q\n",
        ),
        (lambda run: run.upload_folder("n", "p"), "Attempted to track folder n at p\n"),
        (lambda run: (run.flush(), run.complete(), run.fail("x"), run.cancel()), ""),
    ],
)
def test_a_call_prints_what_it_would_have_kept(run, capsys, call, printed):
    call(run)
    assert capsys.readouterr().out == printed


def test_a_block_prints_its_start_and_its_end(capsys):
    with OfflineRun("OfflineRun_1") as run:
        pass
    assert capsys.readouterr().out == "[START] Run OfflineRun_1 context\n[STOP] Run OfflineRun_1 context\n"
    with pytest.raises(ValueError, match="kept"), run:
        raise ValueError("kept")


def test_ids_are_v1s(run):
    assert run.id.startswith("OfflineRun_")
    assert run.child_run("kid").id == f"{run.id}.kid"


@pytest.mark.parametrize(
    "name", ["experiment", "parent", "get_metrics", "input_datasets", "get_status", "create_children"]
)
def test_it_has_no_more_than_v1s(run, name):
    assert not hasattr(run, name)


def test_values_are_checked_as_in_a_run(run):
    for call in (
        lambda: run.log("m", [1]),
        lambda: run.log("", 1),
        lambda: run.log("m", 1, step="x"),
        lambda: run.log_list("m", 3),
    ):
        with pytest.raises(UserErrorException, match="hint: "):
            call()


def test_no_run_may_be_an_error():
    with pytest.raises(RunEnvironmentException, match="not part of a run\nhint: "):
        amlnb.Run.get_context(allow_offline=False)


def test_names_that_stdout_cannot_show_are_escaped():
    code = "import amlnb; r = amlnb.Run.get_context(); r.log('\\ud800 ü', 1.0); r.tag('ü', '\\udfff')"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (
        printed == "Attempted to log scalar metric \\ud800 \\xfc:\n1.0\nAttempted to add tag \\xfc with value \\udfff\n"
    )


def test_the_short_form_prints_outside_of_a_run(capsys):
    amlnb.log(loss=0.3, step=2)
    assert capsys.readouterr().out == "Attempted to log scalar metric loss:\n0.3\n"


def test_the_short_form_logs_inside_of_a_run(kept, monkeypatch):
    monkeypatch.setenv(context.RUN_ID, kept.run.id)
    monkeypatch.setenv(context.RUN_DIRECTORY, kept.run.directory)
    for step in range(3):
        amlnb.log(loss=1 / (step + 1), accuracy=step, step=step)
    amlnb.log(note="done")
    assert kept.metrics() == {"loss": [1.0, 0.5, 1 / 3], "accuracy": [0, 1, 2], "note": "done"}
    assert kept.steps("loss") == [0, 1, 2]
    assert amlnb.get_context() is amlnb.Run.get_context()
    with pytest.raises(UserErrorException, match=r"hint: use run.log_list"):
        amlnb.log(loss=[1, 2])
