"""Live outputs: one background thread of the kernel refreshes the outputs of all runs that are going."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from amlnb.api.cell_lines import cell_script, in_cell_lines
from amlnb.api.run_outputs import Output, details_output, picture_output, stopped_output
from amlnb.core import states
from amlnb.engine import look as looking
from amlnb.live.run_tail import RunTail
from amlnb.notebook.budget import Budget
from amlnb.render.run_picture import run_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amlnb.render.scene import Scene
    from amlnb.specs.run_view import RunView

# Of a core: for one run, for each more, and for all of them.
_CPU_SHARE, _CPU_SHARE_MORE, _CPU_SHARE_LIMIT = 0.05, 0.005, 0.1
# Of what a Jupyter server forwards (its limit is 1 MB/s for all outputs of a kernel).
_CPU_BURST_S = 0.4
_BYTES_A_SECOND = 400_000
_BYTES_BURST = 1_000_000
_INTERVAL_S = 0.15
_LONGEST_TURN_S = 4.0
_LOOK_S = 1.0
_CLOCK_S = 1.0
# Beyond so many runs, those of which there is nothing new tell the time more rarely: each sends all that it shows.
_CLOCK_RUNS = 4
_TURN_S = 0.0005
_PNG_INTERVAL_S = 30.0
# Network file systems have hiccups: a view waits longer from fault to fault, and stops when they have lasted so long.
_LONGEST_FAULTS_S = 60.0
_LONGEST_PAUSE_S = 8.0

# These pass in a moment, and show nothing but their name.
_BEFORE_START = frozenset({states.NOT_STARTED, states.PREPARING, states.PROVISIONING, states.STARTING, states.QUEUED})

_log = logging.getLogger(__name__)


class Publish(Protocol):
    """Shows an output under an id, or replaces it everywhere it is shown. Callable from any thread."""

    def __call__(self, output: Output, display_id: str, *, update: bool) -> None:
        """Show or replace."""


@dataclass
class RunDisplay:
    """The two outputs of one run under one cell.

    ``waits`` tells by its id why a run that has not started waits.
    ``done`` is set when the final version has been published. Until then the outputs tell as of when they are, by
    ``clock`` (Unix seconds): a kernel that ends leaves them as they stand. ``refreshed_at`` is when that was done
    last, ``due`` when it would be its turn again by what it costs, ``failing_since`` when the first of the faults was
    that have gone on since (all monotonic seconds); ``pause_s`` is the shortest time between two turns.
    """

    directory: str
    publish: Publish
    clock: Callable[[], float] = time.time
    waits: Callable[[str], str | None] = lambda _: None
    done: threading.Event = field(default_factory=threading.Event)
    failing_since: float | None = None
    pause_s: float = _INTERVAL_S
    refreshed_at: float = float("-inf")
    due: float = float("-inf")

    def __post_init__(self) -> None:
        token = uuid.uuid4().hex[:12]
        self._picture_id, self._details_id = f"amlnb-{token}-picture", f"amlnb-{token}-details"
        self._tail = RunTail(self.directory, waits=self.waits)
        self._png: bytes | None = None
        self._png_at = float("-inf")
        self._png_state = ""
        self._png_has_curves = False
        self._looked_at = float("-inf")
        self._shown: dict[str, Output] = {}
        self._state = ""
        self._told_at = float("-inf")
        self._cell_script = cell_script(self._tail.reader.record)
        self._was_terminal = False

    def refresh(self, now: float, clock_s: float = _CLOCK_S) -> int:
        """Read what is new and publish what changed; the number of bytes that were published.

        Parameters
        ----------
        now
            Monotonic seconds.
        clock_s
            How often the time is told while there is nothing new.
        """
        if not self._tail.sealed and now - self._looked_at >= _LOOK_S:
            os.stat(self.directory)  # what is left of a run that was removed tells nothing, and would stand for ever
            self._looked_at = now
            looking.look(self._tail.reader)
        view = in_cell_lines(self._tail.poll(), self._cell_script)
        # A proved end is sealed within a moment, and a presumed one never: such a one stands at its second poll.
        terminal = states.is_terminal(view.state)
        ended = self._tail.sealed or (terminal and self._was_terminal)
        self._was_terminal = terminal
        if not (self._tail.changed or ended or view.state != self._state or now - self._told_at >= clock_s):
            return 0
        as_of = None if ended else self.clock()
        self._state, self._told_at = view.state, now
        scene = run_scene(view, as_of=as_of)
        self._renew_png(view, scene, now, ended=ended)
        sent = self._show(self._picture_id, picture_output(view, scene, self._png, as_of=as_of))
        sent += self._show(self._details_id, details_output(view, as_of=as_of))
        if ended:
            self.done.set()
        return sent

    def succeeded(self) -> None:
        """Take note of a turn without a fault."""
        self.failing_since, self.pause_s = None, _INTERVAL_S

    def failed(self, error: Exception, now: float) -> None:
        """Take note of a fault: try again later; stop if it does not pass."""
        self.failing_since = now if self.failing_since is None else self.failing_since
        self.pause_s = min(2 * self.pause_s, _LONGEST_PAUSE_S)
        if now - self.failing_since >= _LONGEST_FAULTS_S or _is_gone(self.directory):
            self._stop(error)

    def _stop(self, error: Exception) -> None:
        """Say in the output that it is no longer live, and end."""
        self.done.set()
        output = stopped_output(error)
        _log.warning("%s (%s)", output.data["text/plain"], self.directory)
        try:
            self._show(self._details_id, output)
        except Exception:  # noqa: BLE001 - it is over, and the other displays go on
            _log.warning("nor can that be shown", exc_info=True)

    def _renew_png(self, view: RunView, scene: Scene, now: float, *, ended: bool) -> None:
        """Paint the picture that a saved notebook shows: at changes of state, and every half minute."""
        has_curves = bool(view.series)
        due = has_curves and (now - self._png_at >= _PNG_INTERVAL_S or not self._png_has_curves)
        if ended or due or (view.state != self._png_state and view.state not in _BEFORE_START):
            from amlnb.render.png import to_small_png

            self._png = to_small_png(scene, scale=2 if ended else 1)
            self._png_at, self._png_state, self._png_has_curves = now, view.state, has_curves

    def _show(self, display_id: str, output: Output) -> int:
        before = self._shown.get(display_id)
        if before == output:
            return 0
        self._shown[display_id] = output
        self.publish(output, display_id, update=before is not None)
        return sum(len(value) for value in output.data.values() if isinstance(value, str))


def _is_gone(directory: str) -> bool:
    """Tell whether a directory has been removed; one that only cannot be reached has not."""
    try:
        os.stat(directory)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


class LiveDisplays:
    """All displays of a kernel, and the thread that refreshes them.

    The thread runs only while there is a run to follow. Its processor time is measured, and its pauses are stretched to
    keep it within a share of a core; the same holds for the bytes it sends. Where that is not enough for all, a run
    that costs more has its turn later, so that one with hundreds of metrics slows only itself down.
    """

    def __init__(self) -> None:
        self._displays: list[RunDisplay] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, display: RunDisplay) -> None:
        """Show a run, now, in the calling thread; and keep its outputs up to date from then on."""
        display.refresh(time.monotonic())
        if display.done.is_set():
            return
        with self._lock:
            self._displays.append(display)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="amlnb-live", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        start = time.monotonic()
        cpu, traffic = Budget(_CPU_SHARE, _CPU_BURST_S, start), Budget(_BYTES_A_SECOND, _BYTES_BURST, start)
        while True:
            with _short_turns():
                for display in in_turn(self._displays, time.monotonic()):
                    used_s, sent = _refreshed(display, len(self._displays))
                    now = time.monotonic()
                    cpu.spend(used_s * _CPU_SHARE / cpu_share(len(self._displays)), now)
                    traffic.spend(sent, now)
                    if cpu.wait_s(now) or traffic.wait_s(now):
                        break
            now = time.monotonic()
            with self._lock:
                self._displays = [display for display in self._displays if not display.done.is_set()]
                if not self._displays:
                    self._thread = None
                    return
            pause = max(_INTERVAL_S, cpu.wait_s(now), traffic.wait_s(now))
            self._wake.wait(pause)
            self._wake.clear()


def cpu_share(runs: int) -> float:
    """Share of a core that so many runs may use together."""
    return min(_CPU_SHARE + _CPU_SHARE_MORE * (runs - 1), _CPU_SHARE_LIMIT)


def in_turn(displays: Sequence[RunDisplay], now: float) -> list[RunDisplay]:
    """Those that may be refreshed again, in the order in which it is their turn."""
    ready = [display for display in displays if now - display.refreshed_at >= display.pause_s]
    return sorted(ready, key=lambda display: display.due)


def turn_s(used_s: float, runs: int) -> float:
    """Seconds until it is the turn of a display again that used so much of the processor, if all had the same share.

    Never very long: a picture that is painted twice a minute is no reason to let a run stand still.
    """
    return min(max(used_s * runs / cpu_share(runs), _INTERVAL_S), _LONGEST_TURN_S)


@contextmanager
def _short_turns() -> Iterator[None]:
    """Take the interpreter's lock in short turns while the outputs are refreshed.

    Whenever a thread reads a file or paints a line it gives the lock away, and a kernel that is busy with pure Python
    returns it only after the switch interval, 5 ms by default: a hundred such calls are half a second. Refreshing takes
    a twentieth of the time at most, so a busy cell does not feel the shorter interval.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _refreshed(display: RunDisplay, runs: int) -> tuple[float, int]:
    """Refresh one of so many displays; a fault of one never stops the others.

    Returns
    -------
    tuple of (float, int)
        Seconds of the processor, and bytes.
    """
    began, sent = time.thread_time(), 0
    now = time.monotonic()
    try:
        sent = display.refresh(now, _CLOCK_S * max(1.0, runs / _CLOCK_RUNS))
        display.succeeded()
    except Exception as error:  # noqa: BLE001 - a thread's boundary: told in the output once it lasts
        display.failed(error, now)
    used_s = time.thread_time() - began
    display.refreshed_at = now
    display.due = now + turn_s(used_s, runs)
    return used_s, sent
