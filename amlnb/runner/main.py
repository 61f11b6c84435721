"""The runner: keeps one run from its lock to its seal, inside the job, on every compute.

It starts the user's process, enforces the time limit, hears a cancel, ends the whole tree, keeps outputs, and writes
the events. The user's stdout and stderr go straight to the log file, never through this process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import time
import traceback

from amlnb import host
from amlnb.core import edits, events, layout, states
from amlnb.errors import AmlnbError
from amlnb.runner import container, failure, process_tree, verdict, workdir
from amlnb.runner.launch import Launch
from amlnb.runner.system_metrics import SystemMetrics
from amlnb.store.edits import EditReader
from amlnb.store.files import left_out
from amlnb.store.run_record import is_mirror
from amlnb.tracking import arrival, context, create
from amlnb.tracking import seal as seal_
from amlnb.tracking.journal import JournalWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Set

# Longest sleep between two looks at the edits folder, should no signal tell of a cancel.
_TICK_S = 1.0
_LEFT_BEHIND_GRACE_S = 2.0
_NAMED = 5
# What a finished environment has (`amlnb.environments.prefixes.MARKER`).
_BUILT = "amlnb-environment.json"
_LOCK_PAUSE_S = 0.05
_LONGEST_SEAL_PAUSE_S = 10.0


def run(told: Dict[str, Any], ready: Callable[[], Any] = lambda: None) -> bool:
    """Keep the run that a launch describes; return when it is sealed.

    Parameters
    ----------
    told
        The launch (see :class:`~amlnb.runner.launch.Launch`).
    ready
        Called once the run is claimed: its attempt file exists.

    Returns
    -------
    bool
        False if the run was not ours to start: another runner has it, or had it.
    """
    launch = Launch(told)
    lock = _claim(launch)
    if lock is None:
        return False
    ready()
    try:
        _Runner(launch).keep()
    finally:
        os.close(lock)
    return True


def _claim(launch: Launch) -> Optional[int]:
    """Take the run: the lock, then the attempt file. None if somebody else has or had it."""
    lock = os.open(os.path.join(launch.directory, layout.RUNNER_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.exists(os.path.join(launch.directory, layout.FINAL_JSON)):
            raise FileExistsError(errno.EEXIST, "sealed", launch.directory)
        folder = os.path.join(launch.directory, layout.ATTEMPTS)
        os.makedirs(folder, exist_ok=True)
        create.publish_json(os.path.join(folder, f"{launch.attempt}.json"), dict(host.this_process(), time=time.time()))
        # Once more: whoever sealed it before the line above took it for a run that nobody had begun.
        if os.path.exists(os.path.join(launch.directory, layout.FINAL_JSON)):
            raise FileExistsError(errno.EEXIST, "sealed", launch.directory)
    except (BlockingIOError, FileExistsError):
        os.close(lock)
        return None
    return lock


class _Runner:
    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._directory = launch.directory
        self._journal = JournalWriter(launch.directory, "runner")
        self._work = os.path.join(launch.directory, layout.WORK)
        self._child = 0
        self._status: Optional[int] = None
        self._started: Optional[float] = None
        self._ended_because: Optional[str] = None
        self._edits = EditReader(launch.directory)
        self._edits_mark = -1
        self._canceled = False
        self._said_failed: Optional[Dict[str, Any]] = None
        self._warnings: List[str] = []
        self._oom_before = verdict.oom_kills()

    def keep(self) -> None:
        """Run from preparation to seal; whatever goes wrong here is the run's error, not a lost run."""
        self._listen()
        process_tree.become_subreaper()
        try:
            outcome = self._keep()
        except Exception as error:  # noqa: BLE001 - the boundary: it is told in the run's error
            process_tree.send(self._processes(), signal.SIGKILL)
            self._end_container()
            outcome = verdict.runner_failed(error, traceback.format_exc())
        self._seal(verdict.as_said(outcome, self._said_failed))

    def _keep(self) -> verdict.Outcome:
        self._state(states.PREPARING)
        try:
            staged = workdir.materialise(
                self._launch.objects,
                self._launch.record.get("snapshot"),
                self._work,
                self._launch.definition.get("link_directory"),
            )
        except (OSError, AmlnbError) as error:
            return verdict.cannot_prepare(error)
        self._look_for_cancel()
        if self._canceled:
            return verdict.canceled_before_start()
        self._state(states.STARTING)
        ended = self._hold_environment()
        if ended is not None:
            return ended
        try:
            self._start()
        except OSError as error:
            return verdict.cannot_start(self._launch.command()[0], error)
        self._started = time.time()
        self._state(states.RUNNING)
        self._watch()
        if self._ended_because or self._status is None or not os.WIFEXITED(self._status):
            self._end_container()
        self._state(states.FINALIZING)
        self._end_left_behind()
        self._warnings += workdir.prune(self._work, staged)
        self._warnings += left_out(self._directory)
        self._tell_left_over()
        if self._launch.in_container and not self._ended_because:
            no_container = verdict.no_container(self._status, self._launch.built["image"], self._launch.command()[0])
            if no_container is not None:
                return no_container
        return verdict.judge(
            container.status_inside(self._status) if self._launch.in_container else self._status,
            self._ended_because,
            self._launch.timeout_s,
            verdict.oom_kills() - self._oom_before,
            failure.read(os.path.join(self._directory, layout.FAILURES)),
            self._child,
            self._launch.record,
        )

    def _hold_environment(self) -> Optional[verdict.Outcome]:
        """Keep the run's environment from being removed as long as the run lives; the outcome where it cannot be."""
        prefix = self._launch.built.get("prefix")
        if prefix is None:
            return None
        gone = verdict.environment_gone(prefix)
        try:
            fd = os.open(prefix + ".lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return gone
        while os.path.exists(os.path.join(prefix, _BUILT)):
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go of when this process ends
            except BlockingIOError:  # somebody looks whether it is in use, or is about to remove it
                self._sleep(_LOCK_PAUSE_S)
                self._look_for_cancel()
                if self._canceled:
                    return verdict.canceled_before_start()
                continue
            return None if os.path.exists(self._launch.built["interpreter"]) else gone
        return gone

    # -- the user's process ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        command, environ = self._launch.command(), self._launch.environment()
        if self._launch.in_container:
            command, environ = container.argv(self._launch, self._work), container.client_environment(self._launch)
        log_path = os.path.join(self._directory, layout.USER_LOG)
        os.makedirs(os.path.dirname(log_path), exist_ok=True)
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        # An exec that fails is told through this pipe; one that succeeds closes it.
        told, tell = os.pipe()
        parent = os.getpid()
        self._child = os.fork()
        if not self._child:
            _become_user_process(parent, self._work, command, environ, (nothing, log), tell)
        for fd in (log, nothing, tell):
            os.close(fd)
        with os.fdopen(told, "rb") as pipe:
            trouble = pipe.read().decode("utf-8", "replace")
        if trouble:
            os.waitpid(self._child, 0)
            raise OSError(errno.EINVAL, trouble, command[0])

    def _watch(self) -> None:
        """Wait for the end of the user's process; end it at a cancel or at the time limit."""
        limit_s = self._launch.timeout_s
        deadline = time.monotonic() + float(limit_s) if limit_s else None
        metrics = SystemMetrics(self._directory, self._measured)
        while not self._reap():
            now = time.monotonic()
            if now >= metrics.next_at:
                metrics.sample()
            self._look_for_cancel()
            if self._canceled or self._ended_because:
                self._ended_because = self._ended_because or verdict.CANCEL
                self._end_tree(self._launch.grace_s)
                break
            if deadline is not None and now >= deadline:
                self._ended_because = verdict.TIME_LIMIT
                continue
            self._sleep(min(_TICK_S, metrics.next_at - now, (deadline or now + _TICK_S) - now))
        metrics.close()

    def _end_tree(self, grace_s: float) -> None:
        """TERM to every process of the run, KILL to what is left after ``grace_s``, until none is left."""
        deadline = time.monotonic() + grace_s
        termed: Set[int] = set()
        while True:
            self._reap()
            alive = self._processes()
            if not alive:
                # A process whose main thread has ended before its other threads is a zombie, and not yet to be had.
                if self._reap():
                    return
                if time.monotonic() >= deadline:
                    process_tree.send([self._child], signal.SIGKILL)
                self._sleep(0.01)
                continue
            if time.monotonic() >= deadline:
                process_tree.send(alive, signal.SIGKILL)
                self._sleep(0.02)
                continue
            process_tree.send([pid for pid in alive if pid not in termed], signal.SIGTERM)
            termed.update(alive)
            self._sleep(min(0.1, max(deadline - time.monotonic(), 0.001)))

    def _processes(self) -> List[int]:
        """Pids of the run's processes: all below this one but a courier started from inside, and other runs."""
        return process_tree.descendants(os.getpid(), self._is_anothers)

    def _measured(self) -> List[int]:
        """Pids of the processes whose use of the host is the run's: those of a container are not below this one."""
        if self._launch.in_container:
            return process_tree.carrying(context.RUN_ID, self._launch.record["id"])
        return self._processes()

    def _end_container(self) -> None:
        if self._launch.in_container:
            container.end(self._launch)

    def _is_anothers(self, pid: int) -> bool:
        if pid == self._child:
            return False  # whatever environment it has given itself by an exec
        ours = f"{context.RUN_ID}={self._launch.record['id']}".encode("utf-8", "surrogateescape")
        prefix = context.RUN_ID.encode("ascii") + b"="
        environ = process_tree.environment_of(pid)
        return context.COURIER_MARK in environ or any(each.startswith(prefix) and each != ours for each in environ)

    def _end_left_behind(self) -> None:
        left = self._processes()
        # Pools keep their workers for the next call, and end them with the process; there is nothing to wait for.
        if not all(process_tree.is_of_pool(pid) for pid in left):
            self._warnings.append(
                f"{len(left)} process(es) that the script left behind were ended with it; "
                "hint: wait for them in the script"
            )
        if left:
            self._end_tree(min(_LEFT_BEHIND_GRACE_S, self._launch.grace_s))

    def _tell_left_over(self) -> None:
        """Say which files are not among the run's, as v1 lost them without a word."""
        made = workdir.left_over(self._work)
        if made:
            more = f" and {len(made) - _NAMED} more" if len(made) > _NAMED else ""
            self._warnings.append(
                f"written outside outputs/ and logs/, so not among the run's files: {', '.join(made[:_NAMED])}{more}; "
                "hint: write to outputs/ what is to be kept"
            )

    def _reap(self) -> bool:
        """Take the status of every child that ended; True once the user's process is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == self._child:
                self._status = status
            if not pid:
                return self._status is not None

    # -- signals and cancel ----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._wake, wake = os.pipe()
        for fd in (self._wake, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGUSR1, lambda *_: None)  # a nudge: look for a cancel now
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._told_to_end)

    def _told_to_end(self, *_: Any) -> None:
        self._ended_because = self._ended_because or verdict.TERMINATED

    def _sleep(self, seconds: float) -> None:
        """Sleep until a signal comes, at most so long."""
        ready, _, _ = select.select([self._wake], [], [], max(seconds, 0))
        if ready:
            try:
                os.read(self._wake, 512)
            except BlockingIOError:
                pass

    def _look_for_cancel(self) -> None:
        folder = os.path.join(self._directory, layout.EDITS)
        try:
            mark = os.stat(folder).st_mtime_ns
            # Where time stamps are coarse, a second edit in the same tick would not change the mark.
            if mark == self._edits_mark and time.time_ns() - mark > 2 * 10**9:
                return
            self._edits_mark = mark
            self._edits.refresh()
        except OSError:
            return
        told = edits.fold({}, self._edits.ordered())
        self._canceled, self._said_failed = told.cancel, told.cancel_error

    # -- what is written -------------------------------------------------------------------------------------------

    def _state(self, phase: str) -> None:
        self._journal.write_event(
            {"t": events.STATE, "attempt": self._launch.attempt, "phase": phase, "time": time.time()}
        )

    def _seal(self, outcome: verdict.Outcome) -> None:
        self._journal.close()
        final = dict(outcome, attempt=self._launch.attempt, started=self._started, ended=time.time())
        pause_s = 0.1
        while os.path.isdir(self._directory):
            try:
                warnings = self._warnings + self._brought_to_its_workspace()
                seal_.seal(self._directory, dict(final, warnings=warnings))
                return
            except OSError:
                # A full disk may be freed; the state stays Finalizing until then, however long that takes.
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_SEAL_PAUSE_S)

    def _brought_to_its_workspace(self) -> List[str]:
        """Put what the run left for its workspace there, if it is here; return what is to be told of it."""
        told: List[str] = []
        if not is_mirror(self._launch.record):
            left = arrival.Arrival(self._directory, os.path.dirname(os.path.dirname(self._directory)), told.append)
            while not left.is_over():
                self._sleep(_TICK_S)
        return told


def _become_user_process(
    parent: int, work: str, command: List[str], environ: Dict[str, str], streams: Any, tell: int
) -> None:
    """In the child: a session of its own, streams on the log, default signals, then the user's program."""
    try:
        nothing, log = streams
        process_tree.die_with_parent(parent)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(work)
        os.execvpe(command[0], command, environ)  # noqa: S606 - the user's program, as it is
    except BaseException as error:  # noqa: BLE001 - a forked child: it is told to the parent, and ends here
        text = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
        os.write(tell, text.encode("utf-8", "replace")[:4096])
    finally:
        os._exit(127)
