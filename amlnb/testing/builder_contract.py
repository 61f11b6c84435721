"""What every builder of environments must do, as a pytest class: subclass it, say what it builds, and run it.

::

    from amlnb.testing.builder_contract import BuilderContract

    class TestMyBuilder(BuilderContract):
        @pytest.fixture
        def make(self):
            return lambda spec: MyBuilder(...)

        @pytest.fixture
        def wanted(self):
            return EnvironmentSpec(...)

Builders cross to other processes by pickle here: they are values that know how to build, not what is being built.
"""

# These are tests: they assert, and their names say what they hold.
# ruff: noqa: D102, S101

from __future__ import annotations

import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from amlnb.environments import prefixes
from amlnb.environments.builder import Builder
from amlnb.environments.lock import Lock
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[[EnvironmentSpec], Builder]

_KILLS = 6
# It ends at once: threads of a builder's library may outlive a build, and crash an interpreter that ends under them.
_BUILD = """
import os, pickle, sys
builder, lock, prefix, log = pickle.load(sys.stdin.buffer)
print("building", flush=True)
builder.build(lock, prefix, log)
os._exit(0)
"""


class KeptLog:
    """A build log that keeps what it is told.

    Attributes
    ----------
    told, notes
        Steps, lines and notes, in order; and the notes alone.
    progressed
        ``(done, total)``, as it was told.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.notes: list[str] = []
        self.progressed: list[tuple[int, int]] = []

    def step(self, text: str) -> None:
        self.told.append(text)

    def line(self, text: str) -> None:
        self.told.append(text)

    def note(self, text: str) -> None:
        self.told.append(text)
        self.notes.append(text)

    def progress(self, done: int, total: int, text: str) -> None:
        self.progressed.append((done, total))

    @property
    def text(self) -> str:
        """All that was told."""
        return "\n".join(self.told)


class BuilderContract:
    """The rules of `amlnb.environments.builder.Builder`.

    A subclass gives the fixtures ``make``, which makes a builder for a specification; ``wanted``, a specification that
    can be met, and ``unknown``, one that cannot; and ``full_disk``. It may override `proof`.
    """

    @pytest.fixture
    def make(self) -> Make:
        """Make a builder of a specification."""
        raise NotImplementedError("a subclass says who builds")

    @pytest.fixture
    def wanted(self) -> EnvironmentSpec:
        """A specification that can be met."""
        raise NotImplementedError("a subclass says what is built")

    @pytest.fixture
    def unknown(self) -> EnvironmentSpec:
        """A specification of something that does not exist."""
        raise NotImplementedError("a subclass says what does not exist")

    @pytest.fixture
    def full_disk(self) -> str:
        """A folder on a file system that has no room left."""
        raise NotImplementedError("a subclass says where there is no room")

    def proof(self, prefix: str) -> str:
        """What a built environment says of itself: the same for every build of a lock."""
        command = [prefixes.interpreter_of(prefix), "-c", "import sys; print(sys.version)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    # -- locks -------------------------------------------------------------------------------------------------------

    def test_the_same_request_has_the_same_lock(self, make: Make, wanted: EnvironmentSpec) -> None:
        first, second = (make(wanted).lock(wanted, KeptLog()) for _ in range(2))
        assert first == second
        assert first.key == second.key

    def test_a_lock_says_what_it_is(self, make: Make, wanted: EnvironmentSpec) -> None:
        lock = make(wanted).lock(wanted, KeptLog())
        assert re.fullmatch(r"3\.\d+\.\d+.*", lock.python)
        assert lock.tool
        assert lock.platform
        assert lock.packages or lock.image
        assert len({(each.name, each.by) for each in lock.packages}) == len(lock.packages)

    def test_notes_are_in_the_lock_as_well_as_in_the_log(self, make: Make, wanted: EnvironmentSpec) -> None:
        log = KeptLog()
        assert list(make(wanted).lock(wanted, log).notes) == log.notes

    # -- builds ------------------------------------------------------------------------------------------------------

    def test_what_another_builder_locked_is_built_from_its_file_as_often_as_it_is_asked(
        self, make: Make, wanted: EnvironmentSpec, tmp_path: Path
    ) -> None:
        lock = make(wanted).lock(wanted, KeptLog())
        read = Lock.from_dict(json.loads(json.dumps(lock.to_dict())))
        proofs = set()
        for name in ("first", "second"):
            prefix = _empty(tmp_path / name)
            log = KeptLog()
            make(wanted).build(read, prefix, log)
            assert log.told
            assert os.path.exists(prefixes.interpreter_of(prefix))
            proofs.add(self.proof(prefix).replace(prefix, "PREFIX"))
        assert len(proofs) == 1

    @pytest.mark.kill
    def test_a_build_that_is_killed_at_any_time_is_done_again(
        self, make: Make, wanted: EnvironmentSpec, tmp_path: Path
    ) -> None:
        builder = make(wanted)
        lock = builder.lock(wanted, KeptLog())
        prefix = _empty(tmp_path / "whole")
        took_s = _build_elsewhere(builder, lock, prefix)
        whole = self.proof(prefix).replace(prefix, "PREFIX")
        for number in range(_KILLS):
            prefix = _empty(tmp_path / "killed")
            _build_elsewhere(builder, lock, prefix, took_s * (number + random.random()) / _KILLS)
            prefix = _empty(tmp_path / "killed")
            builder.build(lock, prefix, KeptLog())
            assert self.proof(prefix).replace(prefix, "PREFIX") == whole

    # -- what cannot be ----------------------------------------------------------------------------------------------

    def test_what_does_not_exist_is_told_by_its_name_with_a_hint(self, make: Make, unknown: EnvironmentSpec) -> None:
        with pytest.raises(EnvironmentBuildException) as told:
            make(unknown).lock(unknown, KeptLog())
        asked = (*unknown.pip, *unknown.conda, unknown.image or "")
        assert any(_name_of(each) in told.value.message for each in asked if each)
        assert told.value.hint

    def test_a_full_disk_is_told_as_that(self, make: Make, wanted: EnvironmentSpec, full_disk: str) -> None:
        builder = make(wanted)
        lock = builder.lock(wanted, KeptLog())
        with pytest.raises((EnvironmentBuildException, OSError), match=r"(?i)no space left"):
            builder.build(lock, os.path.join(full_disk, "environment"), KeptLog())


class ResolvingContract(BuilderContract):
    """The rules of those who choose among versions on offer.

    A subclass also gives ``conflict``, a specification of things that do not go together, and ``guarded``, one that
    only who has its credentials can meet.
    """

    @pytest.fixture
    def conflict(self) -> EnvironmentSpec:
        """A specification of things that do not go together."""
        raise NotImplementedError("a subclass says what does not go together")

    @pytest.fixture
    def guarded(self) -> EnvironmentSpec:
        """A specification whose packages are given only to who has its credentials."""
        raise NotImplementedError("a subclass says what is guarded")

    def test_what_does_not_go_together_is_told_with_a_hint(self, make: Make, conflict: EnvironmentSpec) -> None:
        with pytest.raises(EnvironmentBuildException) as told:
            make(conflict).lock(conflict, KeptLog())
        assert told.value.message
        assert told.value.hint

    def test_credentials_are_used_and_stand_nowhere(self, make: Make, guarded: EnvironmentSpec, tmp_path: Path) -> None:
        stranger = EnvironmentSpec.from_dict(guarded.to_dict())
        with pytest.raises(EnvironmentBuildException) as told:
            make(stranger).lock(stranger, KeptLog())
        assert told.value.hint
        secrets = [pair.partition(":")[2] or pair for pair in guarded.credentials.values()]
        log, prefix = KeptLog(), _empty(tmp_path / "environment")
        with _CommandLines() as seen:
            builder = make(guarded)
            lock = builder.lock(guarded, log)
            builder.build(lock, prefix, log)
        written = "".join(content for _, content in _texts_below(prefix))
        for secret in secrets:
            for place in (log.text, json.dumps(lock.to_dict()), seen.text, written):
                assert secret not in place


def _empty(path: Path) -> str:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return str(path)


def _build_elsewhere(builder: Builder, lock: Lock, prefix: str, kill_after_s: float | None = None) -> float:
    """Build in a process of its own and return the seconds it took; it is killed after ``kill_after_s``."""
    with subprocess.Popen(
        [sys.executable, "-c", _BUILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump((builder, lock, prefix, KeptLog()), process.stdin)
        process.stdin.close()
        assert process.stdout.readline() == b"building\n"
        began = time.monotonic()
        try:
            code = process.wait(kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return time.monotonic() - began
        assert code == 0
        return time.monotonic() - began


class _CommandLines:
    """The command lines of all processes below this one, seen while it is entered."""

    def __init__(self) -> None:
        self.text = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        mine, seen = psutil.Process(), set()
        while not self._over.wait(0.002):
            for process in mine.children(recursive=True):
                try:
                    seen.add("\0".join(process.cmdline()))
                except psutil.Error:
                    continue
        self.text = "\n".join(seen)


def _name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement.rpartition("::")[2])
    return found[0] if found else requirement


def _texts_below(folder: str) -> Iterator[tuple[str, str]]:
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield path, file.read()
