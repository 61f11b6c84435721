"""A run as a future: its result, its failure as an exception, callbacks; and waiting for several runs."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, CancelledError
from typing import Any, NamedTuple

from amlnb.api.cell_lines import cell_script, error_in_cell_lines
from amlnb.api.run import Run
from amlnb.api.run_reading import look
from amlnb.api.run_watcher import run_watcher
from amlnb.core import coercion, layout, states
from amlnb.engine.follow import as_ended
from amlnb.engine.result_keys import result_key
from amlnb.errors import RunFailedError, UserErrorException
from amlnb.render.run_failure import THE_CELL
from amlnb.staged import captured_values

# Kept with the run: the names of the values that its cell was asked to return, with commas.
RESULTS_PROPERTY = "notebook.results"

_log = logging.getLogger(__name__)


def result(run: Run, timeout: float | None, *, trust: bool) -> dict[str, Any]:
    """Wait for a run and return its values; see ``Run.result``."""
    _wait_for(run, timeout)
    error = _error_of(run)
    if error is not None:
        raise error
    if run._kept_result is None:
        run._kept_result = _values_of(run, trust=trust)
    return dict(run._kept_result)


def exception(run: Run, timeout: float | None) -> RunFailedError | None:
    """Wait for a run and return what made it fail; see ``Run.exception``."""
    _wait_for(run, timeout)
    error = _error_of(run)
    if isinstance(error, CancelledError):
        raise error
    return error


def done(run: Run) -> bool:
    """Tell whether a run has ended."""
    return states.is_terminal(look(run._reader()).phase)


def add_done_callback(run: Run, function: Callable[[Run], object]) -> None:
    """Call a function when a run has ended; see ``Run.add_done_callback``."""
    if done(run):
        _call(function, run)
        return

    def ended(error: Exception | None) -> None:
        if error is not None:
            _log.error("A callback of the run %s is not called: %s", run.id, error)
            return
        # A slow one holds up no other.
        threading.Thread(target=_call, args=(function, run), name="amlnb-callback", daemon=True).start()

    run_watcher().add(run.directory, ended)


def awaited(run: Run) -> Generator[Any, None, dict[str, Any]]:
    """Wait without blocking the event loop; ``await run`` is this."""
    if not done(run):
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()

        def ended(error: Exception | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, over, error)

        watched = run_watcher().add(run.directory, ended)
        try:
            yield from over
        finally:
            run_watcher().remove(watched)
    return result(run, None, trust=False)


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class Waited(NamedTuple):
    """Which runs have ended, and which have not."""

    done: set[Run]
    not_done: set[Run]


def wait(runs: Iterable[Run], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> Waited:
    """Wait for several runs, as `concurrent.futures.wait` does for futures.

    Parameters
    ----------
    runs
        The runs.
    timeout
        Seconds to wait at most; None for as long as it takes.
    return_when
        ``ALL_COMPLETED``, ``FIRST_COMPLETED``, or ``FIRST_EXCEPTION`` (the first Failed or Canceled run).

    Returns
    -------
    Waited
        ``(done, not_done)``: two sets of the runs given. A Failed run is done; this raises nothing of it.

    Raises
    ------
    UserErrorException
        ``return_when`` is none of the three, or something given is no run.
    """
    conditions = (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION)
    if return_when not in conditions:
        raise UserErrorException(f"return_when is {return_when!r}", hint=f"one of {', '.join(conditions)}")
    listed = _checked(runs)
    over: set[Run] = set()
    for number in as_ended([run._reader() for run in listed], timeout):
        run = listed[number]
        over.add(run)
        unhappy = run._reader().facts().state != states.COMPLETED
        if return_when == FIRST_COMPLETED or (return_when == FIRST_EXCEPTION and unhappy):
            break
    # Others may have ended in the same moment.
    over |= {run for run in set(listed) - over if done(run)}
    return Waited(over, set(listed) - over)


def as_completed(runs: Iterable[Run], timeout: float | None = None) -> Iterator[Run]:
    """Yield each run when it has ended, Failed and Canceled ones too, as `concurrent.futures.as_completed` does.

    Raises
    ------
    TimeoutError
        ``timeout`` seconds have passed since the call, and not all of them have ended.
    UserErrorException
        Something given is no run.
    """
    listed = _checked(runs)
    return _as_completed(listed, timeout, time.monotonic())


def _as_completed(runs: list[Run], timeout: float | None, began: float) -> Iterator[Run]:
    left = len(runs)
    remaining_s = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
    for number in as_ended([run._reader() for run in runs], remaining_s):
        left -= 1
        yield runs[number]
    if left:
        raise TimeoutError(f"{left} of {len(runs)} runs have not ended after {timeout} s; they go on")


def failure(run: Run) -> RunFailedError | None:
    """What made a run fail; None if it has not failed."""
    facts = look(run._reader())
    if facts.state != states.FAILED:
        return None
    error = coercion.mapping(error_in_cell_lines(facts.error, cell_script(run._reader().record)))
    # What the run raised may have been an error of ours, with a hint of its own.
    told, _, advice = str(error.get("message") or "no reason is known").partition("\nhint: ")
    message = "\n".join([told, *_own_lines(error)])
    usual = "run.get_details_with_logs() has its log, and so has 'amlnb run logs'"
    hint = advice or str(error.get("hint") or "") or usual
    return RunFailedError(f"the run {run.id} failed: {message}", hint, run_id=run.id)


def _own_lines(error: Mapping[str, Any]) -> list[str]:
    """The lines of the cell through which a failure went, the outermost first."""
    frames = [coercion.mapping(frame) for frame in coercion.items(coercion.mapping(error.get("details")).get("frames"))]
    return [
        f"  line {frame.get('line')} of the cell: {frame.get('text') or ''}".rstrip(": ")
        for frame in frames
        if frame.get("file") == THE_CELL
    ]


def _checked(runs: Iterable[Run]) -> list[Run]:
    if isinstance(runs, Run):
        raise UserErrorException("one run was given, where several are waited for", hint="put it in a list: [run]")
    listed = list(dict.fromkeys(runs))
    for run in listed:
        if not isinstance(run, Run):
            raise UserErrorException(f"a {type(run).__name__} was given among the runs", hint="give runs only")
    return listed


def _wait_for(run: Run, timeout: float | None) -> None:
    for _ in as_ended([run._reader()], timeout):
        return
    raise TimeoutError(f"the run {run.id!r} has not ended after {timeout} s; it goes on")


def _error_of(run: Run) -> RunFailedError | CancelledError | None:
    facts = run._reader().facts()
    if facts.state == states.CANCELED:
        return CancelledError(f"the run {run.id!r} was canceled ({facts.reason or 'no reason is known'})")
    return failure(run)


def _values_of(run: Run, *, trust: bool) -> dict[str, Any]:
    """Read what the run has kept; the names and their order are those that were asked for."""
    asked = [name for name in run.get_properties().get(RESULTS_PROPERTY, "").split(",") if name]
    folder = os.path.join(run.directory, layout.WORK, captured_values.RETURNED)
    try:
        there = captured_values.index(folder)
    except FileNotFoundError:
        there = {}
    except (OSError, ValueError, AttributeError) as error:
        raise UserErrorException(f"the results of the run {run.id!r} are damaged: {error}") from error
    missing = [name for name in asked if name not in there]
    if missing:
        raise UserErrorException(
            f"the run {run.id!r} has Completed and kept no {', '.join(missing)}",
            hint="its script ended before its last line (sys.exit, quit), or deleted outputs/",
        )
    return {name: _value_of(run, folder, name, trust=trust) for name in asked or sorted(there)}


def _value_of(run: Run, folder: str, name: str, *, trust: bool) -> Any:
    try:
        return captured_values.read(folder, name, result_key(run.id), trust=trust)
    except captured_values.UntrustedValueError as error:
        raise UserErrorException(
            f"the result {name!r} of the run {run.id!r} is a pickle, and was not signed by a run submitted from here",
            hint="a pickle may execute any code when it is read; if you trust who made it: run.result(trust=True)",
        ) from error
    except AttributeError as error:
        raise UserErrorException(
            f"the result {name!r} of the run {run.id!r} needs a definition that is not here: {error}",
            hint="run the cell that defines it, then ask again; where cloudpickle is installed for the run, a class of "
            "the cell itself comes along",
        ) from error
    except RuntimeError as error:
        message, _, hint = str(error).partition("\nhint: ")
        raise UserErrorException(
            f"the result {name!r} of the run {run.id!r} cannot be had: {message}",
            hint=hint or "return what can travel, such as numbers, arrays and frames; or save it under outputs/",
        ) from error
    except Exception as error:
        raise UserErrorException(
            f"the result {name!r} of the run {run.id!r} cannot be read: {type(error).__name__}: {error}",
            hint="its files are in outputs/returned_values of the run",
        ) from error


def _call(function: Callable[[Run], object], run: Run) -> None:
    """Call back; what it raises is logged, as of the callbacks of futures."""
    try:
        function(run)
    except Exception:  # noqa: BLE001 - the caller's own code
        _log.exception("A callback of the run %s raised", run.id)
