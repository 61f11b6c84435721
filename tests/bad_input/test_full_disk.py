"""A full disk: told with a hint, nothing that was acknowledged is lost, training goes on, and all arrives when it is freed."""

import os
import time

import pytest

from amlnb.api.experiment import Experiment
from amlnb.core import layout
from amlnb.errors import AmlnbError
from amlnb.store.index import Index
from amlnb.store.run_reader import RunReader

FILLS = """
import os, sys, time
from amlnb import Run
run = Run.get_context()
disk = sys.argv[1]
def fill():
    with open(os.path.join(disk, "filler"), "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True: file.write(b"x" * size)
            except OSError: pass
def free(): os.unlink(os.path.join(disk, "filler"))
"""


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def log_of(run):
    with open(os.path.join(run.directory, layout.USER_LOG), encoding="utf-8") as file:
        return file.read()


def test_a_disk_that_fills_while_a_script_logs_and_is_freed_costs_nothing(small_workspace, disk, submit):
    run = submit(
        small_workspace,
        FILLS
        + """
run.log("loss", -1.0)
fill()
for i in range(3000):
    run.log("loss", float(i), step=i)
    run.log("note", f"point {i}") if i % 10 == 0 else None
run.tag("kept", "yes"); run.add_properties({"p": 1})
run.log_confusion_matrix("matrix", {"data": [1]})
child = run.child_run("kid"); child.log("x", 0.5); child.complete()
free()
run.log("loss", 3000.0)
""",
        disk.folder,
    )
    assert run.wait_for_completion()["status"] == "Completed"
    metrics = run.get_metrics()
    assert metrics["loss"] == [-1.0, *(float(i) for i in range(3001))]
    assert metrics["note"] == [f"point {i}" for i in range(0, 3000, 10)]
    assert (run.get_tags(), run.get_properties()["p"]) == ({"kept": "yes"}, "1")
    assert "matrix" in run.get_file_names()
    assert [(child.display_name, child.get_status(), child.get_metrics()) for child in run.get_children()] == [
        ("kid", "Completed", {"x": 0.5})
    ]
    assert log_of(run).count("amlnb: could not write") == 1
    assert "hint: free some space" in log_of(run)


def test_a_disk_that_stays_full_does_not_stop_training_and_what_was_acknowledged_before_is_there(
    small_workspace, disk, submit
):
    run = submit(
        small_workspace,
        FILLS
        + """
for i in range(100): run.log("loss", float(i))
fill()
for i in range(100): run.log("loss", float(i)); run.tag("lost")
sys.exit(3)                              # so far it got
""",
        disk.folder,
    )
    reader = RunReader(run.directory)
    until(lambda: reader.refresh() and len(reader.series("loss").value) >= 100)
    assert reader.series("loss").value.tolist()[:100] == [float(i) for i in range(100)]
    time.sleep(0.5)
    disk.free()
    run.wait_for_completion(raise_on_error=False)
    # The seal, too, was tried until it could be written.
    assert (run.get_status(), run.get_details()["error"]["error"]["code"]) == ("Failed", "UserError")
    reader.refresh()
    assert reader.facts().exit_code == 3
    assert reader.skipped == 0


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_end_gets_the_seal_when_it_is_freed(small_workspace, disk, submit):
    # What the runner removes of the source would make room for the seal.
    run = submit(small_workspace, FILLS + "run.log('loss', 0.5)\nos.unlink('script.py')\nfill()\n", disk.folder)
    until(lambda: os.path.exists(os.path.join(disk.folder, "filler")))
    time.sleep(1.0)
    assert not os.path.exists(os.path.join(run.directory, layout.FINAL_JSON))
    assert run.get_status() in ("Running", "Finalizing")
    disk.free()
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.get_metrics() == {"loss": 0.5}
    assert [name for name in os.listdir(run.directory) if name.startswith("final.json")] == ["final.json"]


def test_a_submission_to_a_full_disk_is_refused_and_leaves_nothing(small_workspace, disk, submit):
    disk.fill()
    with pytest.raises(AmlnbError, match=r"(?s)No space left on device.*hint: free some space"):
        submit(small_workspace, "print('never')")
    assert os.listdir(small_workspace.directory.runs) == []
    assert Index(small_workspace.directory).list_runs() == []
    disk.free()
    assert submit(small_workspace, "print('now')").wait_for_completion()["status"] == "Completed"


def test_a_run_cannot_be_started_in_process_on_a_full_disk_and_one_that_lives_goes_on(small_workspace, disk, capfd):
    experiment = Experiment(small_workspace, "live")
    with experiment.start_logging(snapshot_directory=None) as run:
        run.log("loss", 0.0)
        disk.fill()
        for i in range(1, 2000):
            run.log("loss", float(i))
        run.tag("k", "v" * 5000)
        with pytest.raises(AmlnbError, match=r"(?s)No space left.*hint: "):
            experiment.start_logging(snapshot_directory=None)
        disk.free()
    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"loss": [float(i) for i in range(2000)]}
    assert run.get_tags() == {"k": "v" * 5000}
    assert len(Index(small_workspace.directory).list_runs()) == 1
    assert capfd.readouterr().err.count("amlnb:") == 1


def test_listing_and_reading_need_no_space(small_workspace, disk, submit, monkeypatch, tmp_path):
    run = submit(small_workspace, "from amlnb import Run\nRun.get_context().log('loss', 0.5)\n")
    run.wait_for_completion()
    monkeypatch.setenv("AMLNB_CACHE_DIR", os.path.join(disk.folder, "cache"))
    disk.fill()
    again = next(iter(Experiment(small_workspace, "test").get_runs()))
    assert (again.get_status(), again.get_metrics()) == ("Completed", {"loss": 0.5})
    again.download_file(layout.USER_LOG, str(tmp_path / "copy"))


def test_a_submission_that_cannot_be_queued_is_refused_and_leaves_no_run_that_waits(
    workspace, submit, make_disk, monkeypatch
):
    """The queue is in the host-local cache, which may be on another disk than the workspace."""
    disk = make_disk("size=1m,mode=700")
    monkeypatch.setenv("AMLNB_CACHE_DIR", disk.folder)
    disk.fill()
    with pytest.raises(AmlnbError, match=r"(?s)No space left on device.*hint: "):
        submit(workspace, "print('never')")
    assert [run.state for run in Index(workspace.directory).list_runs()] in ([], ["Failed"])
