"""The outputs of a run when it ends: each is tried once, what cannot be kept is told, and the run is sealed."""

import os
import resource
import signal
from pathlib import Path

import pytest

from amlnb.store import files
from amlnb.tracking import create, faults
from amlnb.tracking.tracked_run import TrackedRun
from tests.tracking.conftest import Kept, record


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    directory = create.create_run(str(tmp_path / "runs"), record("parent"))
    child = TrackedRun(directory, "parent", "tracking", "0", owned=True).child_run("kid", outputs="outputs")
    return Kept(child)


@pytest.fixture
def small_disk():
    """Files beyond two megabytes cannot be written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_file_that_does_not_fit_is_told_and_the_rest_is_there(kept, request):
    Path("outputs/a_big").write_bytes(b"x" * (3 << 20))
    for number in range(5):
        Path(f"outputs/s{number}").write_text("x")
    request.getfixturevalue("small_disk")
    kept.run.complete()
    facts = kept.reader.facts()
    assert (facts.sealed, facts.state) == (True, "Completed")
    assert [text for text in facts.warnings if "outputs/a_big" in text]
    assert list(files.list_files(kept.run.directory)) == [f"outputs/s{number}" for number in range(5)]
    assert faults.kept == []


def test_a_large_file_is_not_copied_again_with_every_write(kept, request, capfd):
    Path("big").write_bytes(b"x" * (3 << 20))
    request.getfixturevalue("small_disk")
    kept.run.upload_file("x", "big")
    assert "the file 'x' of 'big' could not be kept" in capfd.readouterr().err
    assert faults.kept == []
    kept.run.tag("a", 1)
    kept.run.complete()
    assert kept.reader.facts().sealed
    assert [text for text in kept.reader.facts().warnings if "the file 'x' of 'big' could not be kept" in text]


def test_a_linked_folder_among_the_outputs_is_told(kept, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f").write_text("x")
    os.symlink(tmp_path / "elsewhere", "outputs/linked")
    os.symlink("/nowhere", "outputs/dangling")
    kept.run.complete()
    assert [text for text in kept.reader.facts().warnings if "outputs/linked is a link to a folder" in text]
    assert list(files.list_files(kept.run.directory)) == []


def test_what_a_job_links_to_is_no_file_of_its_run_and_is_told(tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("k")
    run = tmp_path / "run"
    (run / "work" / "outputs" / "sub").mkdir(parents=True)
    (run / "work" / "outputs" / "own").write_text("x")
    os.symlink("own", run / "work" / "outputs" / "alias")
    os.symlink(secret / "key", run / "work" / "outputs" / "key")
    os.symlink(secret, run / "work" / "outputs" / "sub" / "all")
    for place in ("work/logs", "artifacts", "user_logs"):
        os.symlink(secret, run / place)
    assert list(files.list_files(str(run))) == ["outputs/alias", "outputs/own"]
    assert [text.partition(" is a link")[0] for text in files.left_out(str(run))] == [
        "outputs/key",
        "outputs/sub/all",
        "logs",
    ]
