"""What every back end must do, as a pytest class: subclass it, say where the runs go, and run it.

::

    from amlnb.testing.backend_contract import BackendContract

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def target(self, workspace):
            targets.write(workspace.path, "mine", {"kind": "mine", ...})
            return "mine"

Every test goes the whole way: submission, courier, back end, runner, and the run directory that comes back.
"""

# These are tests: they assert, and their names say what they hold.
# ruff: noqa: D102, S101

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from amlnb import host
from amlnb.core import layout, states
from amlnb.engine import look
from amlnb.engine.courier import wake
from amlnb.engine.submit import submit
from amlnb.specs.run_spec import RunSpec
from amlnb.store import files
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import WorkspaceDirectory, local_ids, open_directory
from amlnb.tracking.edits import add_edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_S = 60.0

_STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(
    [sys.executable, "-c", "import os, signal, time; os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
     "print('child', os.getpid(), flush=True); time.sleep(600)"])
print("ready", os.getpid(), flush=True)
time.sleep(600)
"""


class BackendContract:
    """The rules of `amlnb.compute.backend.Backend`, tested through the whole spine.

    A subclass gives the fixture ``target``: the name of a compute target of ``workspace``. It may override
    `process_exists` and `home`.
    """

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> WorkspaceDirectory:
        """A workspace of the test's own."""
        return open_directory(str(tmp_path / "workspace" / ".amlnb"), local_ids("contract"))

    @pytest.fixture
    def target(self, workspace: WorkspaceDirectory) -> str:
        """Name of the target under test."""
        raise NotImplementedError("a subclass says where the runs go")

    @pytest.fixture
    def run(self, tmp_path: Path, workspace: WorkspaceDirectory, target: str) -> Iterator[Callable[..., RunReader]]:
        """Submit a script's text; runs that still live at the end of the test are canceled."""
        readers: list[RunReader] = []

        def run_script(text: str, **options: Any) -> RunReader:
            source = options.pop("source", tmp_path / f"source{len(readers)}")
            source.mkdir(exist_ok=True)
            (source / "train.py").write_text(text)
            spec = RunSpec("contract", str(source), script="train.py", target=target, **options)
            readers.append(RunReader(submit(spec, workspace)))
            return readers[-1]

        yield run_script
        for reader in readers:
            look.cancel(reader, "test")
        for reader in readers:
            ended(reader)

    def process_exists(self, reader: RunReader, pid: int) -> bool:
        """Tell whether a process of a run lives, on the host it ran on."""
        return host.start_time(pid) is not None

    def home(self, reader: RunReader) -> str:
        """Path of a run's home, as seen from the test."""
        return reader.directory

    # -- ends --------------------------------------------------------------------------------------------------------

    def test_a_script_completes_and_everything_of_it_is_here(self, run: Callable[..., RunReader]) -> None:
        reader = ended(
            run(
                "import os, sys\n"
                "from amlnb import Run\n"
                "run = Run.get_context()\n"
                "for i in range(500): run.log('loss', 1 / (i + 1), step=i)\n"
                "run.log('note', 'text'); run.tag('colour', 'blue')\n"
                "print('to stdout', sys.argv[1:]); print('to stderr', file=sys.stderr)\n"
                "open('outputs/model.bin', 'wb').write(os.urandom(1_000_000))\n"
                "os.makedirs('logs/deep'); open('logs/deep/a.log', 'w').write('log')\n",
                arguments=("--rate", 0.1, "two words"),
            )
        )
        assert (reader.facts().state, reader.facts().exit_code) == (states.COMPLETED, 0)
        assert reader.metrics("loss")["loss"] == [1 / (i + 1) for i in range(500)]
        assert reader.metrics("note")["note"] == "text"
        assert reader.facts().tags == {"colour": "blue"}
        assert log_of(reader).splitlines() == ["to stdout ['--rate', '0.1', 'two words']", "to stderr"]
        assert set(files.list_files(reader.directory)) == {
            "outputs/model.bin",
            "logs/deep/a.log",
            layout.USER_LOG,
            layout.DRIVER_LOG_ALIAS,
        }
        self.assert_mirrored(reader)

    def test_what_a_run_began_with_is_its_snapshot(self, run: Callable[..., RunReader], tmp_path: Path) -> None:
        source = tmp_path / "odd"
        (source / "pkg" / "empty").mkdir(parents=True)
        names = [
            "with space",
            "quote'\"",
            "new\nline",
            "été",
            os.fsdecode(b"caf\xe9"),
            "$HOME;x",
            "-dash",
            "back\\slash",
        ]
        for name in names:
            (source / "pkg" / name).write_bytes(os.fsencode(name))
        (source / "pkg" / "tool.sh").write_text("#!/bin/sh\necho tool\n")
        (source / "pkg" / "tool.sh").chmod(0o755)
        (source / "link").symlink_to("pkg/tool.sh")
        reader = ended(
            run(
                "import os, shutil, subprocess\n"
                "print(subprocess.check_output(['./link']).decode().strip(), os.path.isdir('pkg/empty'))\n"
                "for name in os.listdir(b'pkg'):\n"
                "    path = os.path.join(b'pkg', name)\n"
                "    if os.path.isfile(path): shutil.copy(path, os.path.join(b'outputs', name))\n",
                source=source,
            )
        )
        assert (reader.facts().state, log_of(reader)) == (states.COMPLETED, "tool True\n")
        outputs = os.path.join(os.fsencode(reader.directory), b"work/outputs")
        assert sorted(os.listdir(outputs)) == sorted(os.fsencode(name) for name in [*names, "tool.sh"])
        for name in names:
            with open(os.path.join(outputs, os.fsencode(name)), "rb") as file:
                assert file.read() == os.fsencode(name)
        self.assert_mirrored(reader)

    def test_a_script_that_fails_tells_its_exit_code(self, run: Callable[..., RunReader]) -> None:
        facts = ended(run("import sys\nsys.exit(7)\n")).facts()
        assert (facts.state, facts.exit_code) == (states.FAILED, 7)

    def test_a_script_that_raises_leaves_its_traceback(self, run: Callable[..., RunReader]) -> None:
        reader = ended(run("raise ValueError('broken on purpose')\n"))
        assert reader.facts().state == states.FAILED
        assert "broken on purpose" in log_of(reader)
        assert "broken on purpose" in str(reader.facts().error)

    def test_a_script_that_is_killed_tells_the_signal(self, run: Callable[..., RunReader]) -> None:
        facts = ended(run("import os\nos.kill(os.getpid(), 9)\n")).facts()
        assert (facts.state, facts.signal) == (states.FAILED, signal.SIGKILL)

    def test_a_program_that_cannot_start_is_told(self, run: Callable[..., RunReader]) -> None:
        facts = ended(run("", interpreter="/no/such/python")).facts()
        assert facts.state == states.FAILED
        assert "/no/such/python" in str(facts.error)

    # -- endings that are asked for ----------------------------------------------------------------------------------

    def test_a_cancel_ends_a_run_its_stubborn_process_and_the_child_that_left(
        self, run: Callable[..., RunReader]
    ) -> None:
        reader = run(_STUBBORN, grace_s=0.5)
        pids = [int(line.split()[1]) for line in wait_for_lines(reader, 2)]
        assert all(self.process_exists(reader, pid) for pid in pids)
        look.cancel(reader, "test")
        assert ended(reader).facts().state == states.CANCELED
        assert not any(self.process_exists(reader, pid) for pid in pids)

    def test_a_time_limit_cancels_with_its_reason(self, run: Callable[..., RunReader]) -> None:
        facts = ended(run("import time\nprint('started', flush=True)\ntime.sleep(600)\n", timeout_s=1.0)).facts()
        assert facts.state == states.CANCELED
        assert "limit" in str(facts.reason)

    def test_a_cancel_right_after_the_submission_ends_the_run(self, run: Callable[..., RunReader]) -> None:
        reader = run("import time\ntime.sleep(600)\n")
        look.cancel(reader, "test")
        assert ended(reader).facts().state == states.CANCELED

    def test_a_cancel_after_the_end_changes_nothing(self, run: Callable[..., RunReader]) -> None:
        reader = ended(run("print('done')\n"))
        look.cancel(reader, "test")
        reader.refresh()
        assert reader.facts().state == states.COMPLETED

    # -- while it runs -----------------------------------------------------------------------------------------------

    def test_log_metrics_and_files_in_logs_arrive_while_it_runs(self, run: Callable[..., RunReader]) -> None:
        reader = run(
            "import time\nfrom amlnb import Run\nrun = Run.get_context()\n"
            "run.log('loss', 0.5)\nopen('logs/x.log', 'w').write('live')\nprint('line', flush=True)\ntime.sleep(600)\n"
        )
        assert wait_for_lines(reader, 1) == ["line"]
        until(lambda: refreshed(reader).metrics().get("loss") == 0.5, "the metric")
        until(lambda: "logs/x.log" in files.list_files(reader.directory), "the file")
        assert reader.facts().state == states.RUNNING

    def test_a_tag_set_here_stays_and_one_set_there_arrives(self, run: Callable[..., RunReader]) -> None:
        reader = run(
            "import time\nfrom amlnb import Run\nRun.get_context().tag('there', 'yes')\n"
            "print('tagged', flush=True)\ntime.sleep(600)\n"
        )
        add_edit(reader.directory, {"op": "tags", "tags": {"here": "yes"}})
        until(lambda: refreshed(reader).facts().tags == {"here": "yes", "there": "yes"}, "both tags")

    def test_runs_at_once_do_not_mix(self, run: Callable[..., RunReader]) -> None:
        readers = [run(f"from amlnb import Run\nRun.get_context().log('n', {n})\nprint({n})\n") for n in range(6)]
        for number, reader in enumerate(readers):
            assert ended(reader).metrics() == {"n": number}
            assert log_of(reader) == f"{number}\n"
            self.assert_mirrored(reader)

    # -- what dies on the way ----------------------------------------------------------------------------------------

    def test_a_courier_killed_in_the_middle_costs_nothing(self, run: Callable[..., RunReader]) -> None:
        reader = run(
            "import time\nfrom amlnb import Run\nrun = Run.get_context()\nprint('started', flush=True)\n"
            "for i in range(100):\n    run.log('i', i)\n    time.sleep(0.01)\n"
        )
        wait_for_lines(reader, 1)
        kill_courier()
        assert ended(reader).facts().state == states.COMPLETED
        assert reader.metrics("i")["i"] == list(range(100))
        self.assert_mirrored(reader)

    def test_a_killed_runner_is_a_failed_run_and_its_processes_are_ended(self, run: Callable[..., RunReader]) -> None:
        reader = run(_STUBBORN)
        pids = [int(line.split()[1]) for line in wait_for_lines(reader, 2)]
        until(lambda: reader.runner() is not None, "the runner's identity")
        os.kill((reader.runner() or {})["pid"], signal.SIGKILL)
        facts = ended(reader).facts()
        assert (facts.state, (facts.error or {}).get("code")) == (states.FAILED, "RunnerLost")
        until(lambda: not any(self.process_exists(reader, pid) for pid in pids), "the end of its processes")

    def assert_mirrored(self, reader: RunReader) -> None:
        """Hold a run that has ended against its home: the same bytes, and the sizes its seal tells."""
        sizes = (reader.final or {})["sizes"]
        assert sizes
        for path, size in sizes.items():
            with open(os.path.join(reader.directory, path), "rb") as here:
                data = here.read()
            with open(os.path.join(self.home(reader), path), "rb") as there:
                assert data == there.read(), path
            assert len(data) == size, path


def until(condition: Callable[[], object], what: str, timeout_s: float = WAIT_S) -> None:
    """Wait for a condition; fail with ``what`` was waited for."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(0.02)


def refreshed(reader: RunReader) -> RunReader:
    """Return the reader after a look at what is new."""
    reader.refresh()
    return reader


def ended(reader: RunReader) -> RunReader:
    """Wait for the end of a run."""

    def sealed() -> bool:
        look.look(reader)
        return reader.facts().sealed

    deadline = time.monotonic() + WAIT_S
    while not sealed():
        if time.monotonic() > deadline:
            facts = reader.facts()
            pytest.fail(f"the run is {facts.state} ({facts.reason}) after {WAIT_S:.0f} s; its log: {log_of(reader)!r}")
        time.sleep(0.02)
    return reader


def log_of(reader: RunReader) -> str:
    """Return what a run has printed so far, as far as it is here."""
    try:
        with open(os.path.join(reader.directory, layout.USER_LOG), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def wait_for_lines(reader: RunReader, count: int) -> list[str]:
    """Wait for whole lines in a run's log."""

    def enough() -> bool:
        look.look(reader)
        return log_of(reader).count("\n") >= count or reader.facts().sealed

    until(enough, f"{count} lines in the log")
    return log_of(reader).splitlines()


def kill_courier() -> None:
    """Kill -9 this user's courier here; the next look starts another one."""
    path = os.path.join(host.cache_dir(), wake.LOCK)
    with open(path, encoding="ascii") as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.start_time(pid) is None, "the end of the courier")
