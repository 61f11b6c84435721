"""How a run ended, said in one place: exit status and circumstances to state, reason, error and hint."""

from __future__ import annotations

import os
import signal

from amlnb.core import states
from amlnb.core.replay import SAID_FAILED
from amlnb.errors import told_error
from amlnb.runner import missing_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    Outcome = Dict[str, Any]

CANCEL = "cancel"
TIME_LIMIT = "time limit"
TERMINATED = "terminated"


def judge(
    status: Optional[int],
    because: Optional[str],
    timeout_s: Optional[float],
    oom_kills: int,
    failures: List[Dict[str, Any]],
    pid: int,
    record: Dict[str, Any],
) -> Outcome:
    """Decide the end of a run whose process ran.

    Parameters
    ----------
    status
        As ``waitpid`` gives it; None if somebody else took it.
    because
        Why the runner ended the tree, if it did.
    timeout_s
        The time limit, for the text.
    oom_kills
        How many processes the kernel's out-of-memory killer ended on this host meanwhile.
    failures
        Documents of uncaught exceptions (:mod:`amlnb.runner.failure`).
    pid
        Of the user's process.
    record
        The run's record: what is missing in its environment is added by its definition.
    """
    if status is None:
        message = "how the process ended is not known: its status was taken by something else"
        return _outcome(states.FAILED, None, None, None, _error("StatusLost", message, None))
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = None if number else os.WEXITSTATUS(status)
    if because == TIME_LIMIT:
        text = f"the time limit of {timeout_s or 0:g} s was reached"
        error = _error("TimeLimit", text, "give it more with --timeout or max_run_duration_seconds")
        return _outcome(states.CANCELED, code, number, text, error)
    if because == CANCEL:
        return _outcome(states.CANCELED, code, number, "canceled", None)
    if because == TERMINATED:
        text = "the runner was told to end (SIGTERM), as a machine does that shuts down"
        return _outcome(states.CANCELED, code, number, text, _error("Terminated", text, None))
    if code == 0:
        return _outcome(states.COMPLETED, 0, None, None, None)
    return _outcome(states.FAILED, code, number, None, _failed(code, number, oom_kills, failures, pid, record))


def _failed(
    code: Optional[int],
    number: Optional[int],
    oom_kills: int,
    failures: List[Dict[str, Any]],
    pid: int,
    record: Dict[str, Any],
) -> Dict[str, Any]:
    of_script = [told for told in failures if told.get("pid") == pid] or failures
    told = of_script[-1] if of_script else None
    out_of_memory = bool(number == signal.SIGKILL and oom_kills)
    if told is not None and number is None:
        message = "{}: {}".format(told.get("type"), told.get("message"))
        # A notebook's kernel is a process of its own, and cannot tell how it ended.
        if told.get("type") == "MemoryError" or (told.get("type") == "DeadKernelError" and oom_kills):
            return _error("OutOfMemory", message, "a smaller batch, or a target with more memory", told)
        hint = missing_module.advice(str(told.get("type")), str(told.get("message")), record)
        return _error("UserError", message, hint, told)
    if out_of_memory:
        message = "the process was killed by SIGKILL: out of memory (the kernel's out-of-memory killer was at work)"
        return _error("OutOfMemory", message, "a smaller batch, or a target with more memory")
    if number is not None:
        message = f"the process was killed by {_signal_name(number)}"
        hint = "something outside of the run ended it; 'dmesg' may tell" if number == signal.SIGKILL else None
        if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE):
            hint = "a crash in native code; run it with PYTHONFAULTHANDLER=1 to see where"
        return _error("Signal", message, hint)
    return _error("UserError", f"the process ended with exit code {code}", "its last lines are in the log")


def canceled_before_start() -> Outcome:
    """End of a run that was canceled while it waited."""
    return _outcome(states.CANCELED, None, None, "canceled before it started", None)


def as_said(outcome: Outcome, error: object) -> Outcome:
    """End of a run that its client did not cancel but said to have failed, with this error."""
    if outcome["state"] != states.CANCELED or not isinstance(error, dict):
        return outcome
    return dict(outcome, state=states.FAILED, reason=SAID_FAILED, error=error)


def cannot_prepare(error: Exception) -> Outcome:
    """End of a run whose working directory could not be made."""
    told = told_error("PrepareFailed", error)
    message = f"the working directory could not be prepared: {told['message']}"
    return _outcome(states.FAILED, None, None, None, _error("PrepareFailed", message, told.get("hint")))


def cannot_start(program: str, error: OSError) -> Outcome:
    """End of a run whose program could not be started."""
    message = f"the program {program!r} could not be started: {error.strerror or error}"
    hint = "check that it exists there and may be executed"
    return _outcome(states.FAILED, None, None, None, _error("StartFailed", message, hint))


def environment_gone(prefix: str) -> Outcome:
    """End of a run whose environment was removed before it could hold it."""
    message = f"the environment {prefix!r} was removed before the run could begin"
    hint = "submit it again: it is built anew"
    return _outcome(states.FAILED, None, None, None, _error("StartFailed", message, hint))


def no_container(status: Optional[int], image: str, program: str) -> Optional[Outcome]:
    """End of a run whose container, or whose program in it, could not be started; None if it was.

    Parameters
    ----------
    status
        Of the engine's client, as ``waitpid`` gives it: 125 is its own failure, 126 and 127 that of the program.
    image
        The container's.
    program
        What was to run in it.
    """
    code = os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else 0
    if code == 125:
        message = f"the container of the image {image} could not be started; the log ends with the engine's own words"
        hint = "is the engine still running, and the image still there? 'amlnb env build' makes it anew"
    elif code in (126, 127):
        message = f"the image {image} has no program {program!r} that can be run"
        hint = "take an image that has it, or name its path (interpreter_path)"
    else:
        return None
    return _outcome(states.FAILED, code, None, None, _error("StartFailed", message, hint))


def runner_failed(error: Exception, text: str) -> Outcome:
    """End of a run whose runner met an error of its own."""
    message = f"the runner met an error of its own: {error!r}"
    hint = "this is a defect of amlnb; please report it with the details"
    return _outcome(states.FAILED, None, None, None, _error("RunnerError", message, hint, {"traceback": text}))


def oom_kills() -> int:
    """Count of processes ended by the kernel's out-of-memory killer since boot (0 where it is not told)."""
    try:
        with open("/proc/vmstat") as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0


def _outcome(
    state: str, code: Optional[int], number: Optional[int], reason: Optional[str], error: Optional[Dict[str, Any]]
) -> Outcome:
    return {"state": state, "exit_code": code, "signal": number, "reason": reason, "error": error}


def _error(code: str, message: str, hint: Optional[str], details: Any = None) -> Dict[str, Any]:
    error = {"code": code, "message": message}
    if hint:
        error["hint"] = hint
    if details:
        error["details"] = details
    return error


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
