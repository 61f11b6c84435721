"""What every place of run directories must do, as a pytest class: subclass it, say where the data live, and run it.

::

    from amlnb.testing.store_contract import StoreContract

    class TestMyFileSystem(StoreContract):
        @pytest.fixture
        def data(self):
            yield "/mnt/mine/some-new-folder/.amlnb"

A store that is no folder overrides the methods `create`, `writer`, `edit`, `seal`, `read` and `list_runs` as well.

The rules: a run appears whole or not at all; one writer a file, append-only, and what a call acknowledged is read by
the next look of anyone; edits are immutable and ordered by number, then by name; the first seal counts; the state is
what `amlnb.core.replay` makes of the files, and a copy of the directory is the run; the index holds nothing of its own.
"""

# These are tests: they assert, and their names say what they hold.
# ruff: noqa: D102, S101

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from amlnb import host
from amlnb.core import layout, states
from amlnb.core.replay import RunFacts, replay
from amlnb.errors import UserErrorException
from amlnb.store.index import Index, RunSummary
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import WorkspaceDirectory, local_ids, open_directory
from amlnb.tracking.create import create_run
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_WRITERS = 8
_POINTS = 50
_EDITS: list[dict[str, Any]] = [
    {"op": "tags", "tags": {"a": "1", "b": None}},
    {"op": "tags", "tags": {"a": "2"}, "remove": ["b"]},
    {"op": "properties", "properties": {"p": "first"}},
    {"op": "properties", "properties": {"p": "second"}},
    {"op": "rename", "display_name": "renamed"},
    {"op": "archive"},
    {"op": "cancel", "by": "contract"},
]


class StoreContract:
    """The rules of a place that holds runs. A subclass may give the fixture ``data`` and override the methods."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> str:
        """Path of a data directory that does not exist yet."""
        return str(tmp_path / "project" / ".amlnb")

    @pytest.fixture
    def workspace(self, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceDirectory:
        """The place under test, empty, and an index of the test's own."""
        cache = tmp_path / "cache"
        cache.mkdir(mode=0o700)
        monkeypatch.setenv("AMLNB_CACHE_DIR", str(cache))
        return open_directory(data, local_ids("contract"))

    @pytest.fixture
    def run(self, workspace: WorkspaceDirectory) -> str:
        """A run that nobody has begun yet."""
        return self.create(workspace, record("run"))

    # -- the store, as the tests use it ------------------------------------------------------------------------------

    def create(self, workspace: WorkspaceDirectory, submission: dict[str, Any]) -> str:
        """Create a run of a submission record; return what names it below."""
        return create_run(workspace.runs, submission)

    def writer(self, run: str, role: str) -> JournalWriter:
        """Return a new writer of a run."""
        return JournalWriter(run, role)

    def edit(self, run: str, change: dict[str, Any]) -> None:
        """Add an edit."""
        add_edit(run, change)

    def seal(self, run: str, final: dict[str, Any]) -> bool:
        """Seal a run; False if it is sealed already."""
        return seal(run, final)

    def read(self, run: str) -> RunReader:
        """Return a reader that is up to date."""
        reader = RunReader(run)
        reader.refresh()
        return reader

    def list_runs(self, workspace: WorkspaceDirectory) -> list[RunSummary]:
        """List the runs, the newest first."""
        return Index(workspace).list_runs()

    # -- creation ----------------------------------------------------------------------------------------------------

    def test_a_new_run_is_there_with_its_record(self, workspace: WorkspaceDirectory) -> None:
        submission = record("a run", tags={"k": None}, note="ünïcode \ud800\n")
        found = self.read(self.create(workspace, submission))
        assert found.record == {**submission, "format": layout.FORMAT}
        assert found.facts().state == states.NOT_STARTED
        assert found.metrics() == {}

    def test_an_id_is_given_once(self, workspace: WorkspaceDirectory) -> None:
        run = self.create(workspace, record("twice", note=1))
        with pytest.raises(UserErrorException, match="there is a run 'twice' in this workspace already"):
            self.create(workspace, record("twice", note=2))
        assert self.read(run).record["note"] == 1
        assert len(os.listdir(workspace.runs)) == 1

    def test_of_many_that_create_one_id_one_succeeds(self, workspace: WorkspaceDirectory) -> None:
        created = _at_once(_WRITERS, lambda number: self.create(workspace, record("same", note=number)))
        assert sum(isinstance(each, str) for each in created) == 1
        assert sum(isinstance(each, UserErrorException) for each in created) == _WRITERS - 1
        assert len(workspace.run_directories()) == 1

    def test_ids_that_look_alike_are_two_runs(self, workspace: WorkspaceDirectory) -> None:
        ids = ["Run", "run", "run ", "rün", "ru\u0308n", "run/..", "x" * 300]
        runs = [self.create(workspace, record(run_id)) for run_id in ids]
        assert [self.read(run).id for run in runs] == ids
        assert [workspace.find_run(run_id) for run_id in ids] == runs

    # -- journals ----------------------------------------------------------------------------------------------------

    def test_what_a_call_acknowledged_is_there_for_everybody(self, run: str) -> None:
        writer, follower = self.writer(run, "0"), RunReader(run)
        for step in range(20):
            writer.log_float("loss", step / 2, step)
            writer.log_line("note", "str", f"point {step}")
            follower.refresh()
            expected = [number / 2 for number in range(step + 1)]
            assert follower.series("loss").value.tolist() == expected
            assert self.read(run).series("loss").value.tolist() == expected
        assert follower.metrics("note") == {"note": [f"point {step}" for step in range(20)]}
        writer.close()

    def test_writers_do_not_disturb_each_other(self, run: str) -> None:
        def log(number: int) -> None:
            writer = self.writer(run, str(number))
            for step in range(_POINTS):
                writer.log_int(f"of {number}", step, step)
                writer.log_line(f"text of {number}", "str", str(step))
            writer.close()

        _at_once(_WRITERS, log)
        reader = self.read(run)
        assert (len(reader.writers), reader.skipped) == (_WRITERS, 0)
        for number in range(_WRITERS):
            assert reader.metrics(f"of {number}")[f"of {number}"] == list(range(_POINTS))
            assert len(reader.metrics(f"text of {number}")[f"text of {number}"]) == _POINTS

    def test_nothing_is_made_before_the_first_record(self, run: str) -> None:
        self.writer(run, "0").close()
        assert os.listdir(os.path.join(run, layout.JOURNALS)) == []

    # -- states ------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "phases",
        [
            [],
            [(1, "Preparing")],
            [(1, "Preparing"), (1, "Running"), (1, "Starting")],
            [(1, "Running"), (2, "Preparing")],
            [(2, "Running"), (1, "Finalizing")],
        ],
    )
    def test_the_state_is_that_of_the_replay(self, run: str, phases: list[tuple[int, str]]) -> None:
        events = []
        for number, (attempt, phase) in enumerate(phases):
            event = {"t": "state", "attempt": attempt, "phase": phase, "time": float(number)}
            writer = self.writer(run, "runner")  # each by another process
            writer.write_event(event)
            writer.close()
            events.append(event)
        reader = self.read(run)
        assert _told(reader.facts()) == _told(replay(reader.record, (), events))

    # -- edits -------------------------------------------------------------------------------------------------------

    def test_edits_are_folded_in_their_order(self, run: str) -> None:
        follower = RunReader(run)
        for count, change in enumerate(_EDITS, 1):
            self.edit(run, change)
            follower.refresh()
            expected = _told(replay(follower.record, _EDITS[:count]))
            assert _told(follower.facts()) == _told(self.read(run).facts()) == expected

    def test_edits_of_many_at_once_are_all_there(self, run: str) -> None:
        def edit(number: int) -> None:
            for count in range(5):
                self.edit(run, {"op": "tags", "tags": {f"{number}.{count}": "x"}})

        _at_once(_WRITERS, edit)
        tags = self.read(run).facts().tags
        assert set(tags) == {f"{number}.{count}" for number in range(_WRITERS) for count in range(5)}

    def test_edits_count_after_the_seal(self, run: str) -> None:
        self.seal(run, final(states.COMPLETED))
        follower = self.read(run)
        self.edit(run, {"op": "tags", "tags": {"late": "yes"}})
        assert follower.refresh()
        assert (follower.facts().tags, follower.facts().state) == ({"late": "yes"}, states.COMPLETED)

    # -- the seal ----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("state", states.TERMINAL)
    def test_a_seal_ends_a_run_for_good(self, run: str, state: str) -> None:
        writer = self.writer(run, "runner")
        writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 1.0})
        writer.close()
        assert self.seal(run, final(state))
        assert not self.seal(run, final(states.FAILED))
        facts = self.read(run).facts()
        assert (facts.state, facts.sealed, facts.ended) == (state, True, 2.0)

    def test_of_many_seals_one_counts(self, run: str) -> None:
        sealed = _at_once(_WRITERS, lambda number: self.seal(run, dict(final(states.COMPLETED), reason=str(number))))
        assert sorted(map(bool, sealed)) == [False] * (_WRITERS - 1) + [True]
        assert self.read(run).facts().reason == str(sealed.index(True))
        assert [name for name in os.listdir(run) if name.startswith(layout.FINAL_JSON)] == [layout.FINAL_JSON]

    def test_a_seal_names_the_size_of_every_file(self, run: str) -> None:
        writer = self.writer(run, "0")
        writer.log_float("loss", 0.5)
        writer.close()
        os.makedirs(os.path.join(run, "work", "outputs", "deep"))
        with open(os.path.join(run, "work", "outputs", "deep", "a b\n"), "wb") as file:
            file.write(b"x" * 1000)
        self.seal(run, final(states.COMPLETED))
        sizes = (self.read(run).final or {})["sizes"]
        assert sizes["work/outputs/deep/a b\n"] == 1000
        assert sum(path.endswith(".metrics") and size == 32 for path, size in sizes.items()) == 1
        for path, size in sizes.items():
            assert os.path.getsize(os.path.join(run, path)) == size

    # -- copies and listings -----------------------------------------------------------------------------------------

    def test_a_copy_of_the_directory_is_the_run(self, run: str, tmp_path: Path) -> None:
        writer = self.writer(run, "0")
        writer.log_float("loss", 0.5, 3)
        writer.close()
        self.edit(run, {"op": "tags", "tags": {"a": "1"}})
        self.seal(run, final(states.COMPLETED))
        copy = shutil.copytree(run, tmp_path / "copied" / "elsewhere")
        here, there = self.read(run), RunReader(str(copy))
        there.refresh()
        assert _told(here.facts()) == _told(there.facts())
        assert here.metrics() == there.metrics() == {"loss": 0.5}

    def test_runs_are_listed_the_newest_first_and_numbered(self, workspace: WorkspaceDirectory) -> None:
        for number in range(6):
            self.create(workspace, record(f"r{number}", experiment="ab"[number % 2], created=float(number)))
        found = self.list_runs(workspace)
        assert [(run.id, run.experiment, run.number) for run in found] == [
            ("r5", "b", 3), ("r4", "a", 3), ("r3", "b", 2), ("r2", "a", 2), ("r1", "b", 1), ("r0", "a", 1)
        ]  # fmt: skip

    def test_a_listing_is_as_new_as_the_files(self, workspace: WorkspaceDirectory, run: str) -> None:
        def listed() -> tuple[str, dict[str, str | None], list[str]]:
            found = self.list_runs(workspace)[0]
            return found.state, found.tags, list(found.metrics)

        assert listed() == (states.NOT_STARTED, {}, [])
        writer = self.writer(run, "0")
        writer.log_float("loss", 0.5)
        writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 1.0})
        assert listed() == (states.RUNNING, {}, ["loss"])
        writer.close()
        self.seal(run, final(states.COMPLETED))
        assert listed() == (states.COMPLETED, {}, ["loss"])
        for number in range(3):  # as fast as they come
            self.edit(run, {"op": "tags", "tags": {"n": str(number)}})
            assert listed() == (states.COMPLETED, {"n": str(number)}, ["loss"])

    def test_the_index_can_be_deleted_at_any_time(self, workspace: WorkspaceDirectory, run: str) -> None:
        self.seal(run, final(states.FAILED))
        before = self.list_runs(workspace)
        Index(workspace).delete()
        assert self.list_runs(workspace) == before != []

    def test_what_cannot_be_read_is_told_and_the_rest_is_listed(self, workspace: WorkspaceDirectory, run: str) -> None:
        other = self.create(workspace, record("other"))
        with open(os.path.join(other, layout.RUN_JSON), "wb") as file:
            file.write(b"\0garbage")
        index = Index(workspace)
        assert [found.id for found in index.list_runs()] == ["run"]
        assert list(index.unreadable) == [other]
        assert "hint:" in index.unreadable[other]


def record(run_id: str, **more: Any) -> dict[str, Any]:
    """Return a submission record."""
    return {
        "id": run_id,
        "experiment": "contract",
        "created": 1.0,
        "home": {"kind": "local"},
        "submitter": host.this_process(),
        "owner": None,
        "tags": {},
        "properties": {},
        "warnings": [],
        **more,
    }


def final(state: str) -> dict[str, Any]:
    """Return a seal's content, but for the sizes."""
    return {"attempt": 1, "state": state, "started": 1.0, "ended": 2.0, "exit_code": 0, "signal": None, "reason": None}


def _told(facts: RunFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in facts.__slots__}


def _at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What each of several threads returned or raised, all having begun together."""
    found: list[Any] = [None] * count
    start = threading.Barrier(count)

    def one(number: int) -> None:
        start.wait()
        try:
            found[number] = act(number)
        except UserErrorException as error:
            found[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return found
