"""From a run's files to what is known of it: pure, so that every reader says the same."""

from __future__ import annotations

from amlnb.core import coercion, identity, layout, states
from amlnb.core import edits as edits_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional

RUNNER_LOST = "RunnerLost"
SAID_FAILED = "its client said so"
_SEAL_DAMAGED = (
    f"it has ended, and how cannot be told: its {layout.FINAL_JSON} is damaged or of a newer version; "
    "hint: upgrade amlnb, or restore the file from a copy; metrics, log and files are complete without it"
)


class RunFacts:
    """What the files of a run say.

    Attributes
    ----------
    phase, attempt
        Highest (attempt, phase) written; an end by ``final.json`` stands above all.
    state
        What a reader is shown: the phase, or an overlay (CancelRequested, NotResponding).
    sealed
        ``final.json`` exists: nothing will change but edits. (A damaged one, which does not say how the run ended, is
        shown as NotResponding.)
    times
        ``{phase: unix time}`` of the current attempt.
    """

    __slots__ = (
        "archived",
        "attempt",
        "cancel_error",
        "cancel_requested",
        "display_name",
        "ended",
        "error",
        "exit_code",
        "phase",
        "properties",
        "reason",
        "sealed",
        "signal",
        "started",
        "state",
        "tags",
        "times",
        "warnings",
    )

    def __init__(self) -> None:
        self.phase = states.NOT_STARTED
        self.attempt = 0
        self.state = states.NOT_STARTED
        self.sealed = False
        self.times: Dict[str, float] = {}
        self.error: Optional[Dict[str, Any]] = None
        self.reason: Optional[str] = None
        self.exit_code: Optional[int] = None
        self.signal: Optional[int] = None
        self.started: Optional[float] = None
        self.ended: Optional[float] = None
        self.warnings: List[str] = []
        self.tags: Dict[str, Optional[str]] = {}
        self.properties: Dict[str, str] = {}
        self.display_name: Optional[str] = None
        self.archived = False
        self.cancel_requested = False
        self.cancel_error: Optional[Dict[str, Any]] = None


def replay(
    record: Dict[str, Any],
    edits: Iterable[Dict[str, Any]] = (),
    events: Iterable[Dict[str, Any]] = (),
    final: Optional[Dict[str, Any]] = None,
    liveness: str = identity.UNKNOWN,
    unreachable: Optional[str] = None,
) -> RunFacts:
    """Fold everything that was written about a run.

    Parameters
    ----------
    record, edits, events, final
        Contents of run.json, of the edit files in their order, of all writers' event files in any order of writers
        (each writer's own in order), and of final.json: None if it is not there, {} if it is damaged.
    liveness
        Of the process that owns the run's state now (the runner of the latest attempt, or the run's owner): ``dead``
        is a proof and ends a run that is not sealed.
    unreachable
        Why the runner's host cannot be asked; shown as NotResponding.
    """
    facts = RunFacts()
    edited = edits_.fold(record, edits)
    facts.tags, facts.properties = edited.tags, edited.properties
    facts.display_name, facts.archived, facts.cancel_requested = edited.display_name, edited.archived, edited.cancel
    facts.cancel_error = edited.cancel_error
    facts.warnings = coercion.texts(record.get("warnings"))
    if record.get("owner"):
        facts.phase, facts.attempt, facts.started = states.RUNNING, 1, coercion.unix_time(record.get("created"))
    _fold_events(facts, events)
    facts.sealed = final is not None
    if final is not None and _is_understood(final):
        _fold_final(facts, final)
    facts.state = facts.phase
    if facts.sealed and not states.is_terminal(facts.phase):
        facts.state, facts.reason = states.NOT_RESPONDING, _SEAL_DAMAGED
    elif not states.is_terminal(facts.phase):
        _overlay(facts, liveness, unreachable, owned=bool(record.get("owner")))
    return facts


def runner_lost(
    cancel_requested: bool, said: Optional[Dict[str, Any]] = None, *, owned: bool = False
) -> Dict[str, Any]:
    """State, reason and error of a run whose keeper is proved dead without having sealed it.

    Parameters
    ----------
    cancel_requested
        Its end was asked for.
    said
        The error of a client who asked for it because the run has failed.
    owned
        It lived in the process that made it, so nothing can submit it again.
    """
    if said is not None:
        return {"state": states.FAILED, "reason": SAID_FAILED, "error": said}
    if cancel_requested:
        return {"state": states.CANCELED, "reason": "canceled; the runner ended before it could say so", "error": None}
    return {
        "state": states.FAILED,
        "reason": "the process that ran it is gone",
        "error": {
            "code": RUNNER_LOST,
            "message": "The process that kept this run ended without a result: it was killed, or the host restarted.",
            "hint": "everything logged until then is kept"
            + ("" if owned else "; submit it again with 'amlnb run rerun'"),
        },
    }


def _fold_events(facts: RunFacts, events: Iterable[Dict[str, Any]]) -> None:
    presumed: List[Dict[str, Any]] = []
    for event in events:
        kind = event.get("t")
        if kind == "warning" and isinstance(event.get("text"), str):
            facts.warnings.append(event["text"])
        if kind != "state" or not states.is_phase(event.get("phase")) or coercion.integer(event.get("attempt")) is None:
            continue
        if event.get("presumed"):
            presumed.append(event)
        else:
            _fold_state(facts, event)
    # Of several that count, the earliest: whose file is read first must not matter.
    for event in sorted(presumed, key=lambda event: coercion.unix_time(event.get("time")) or 0.0):
        _fold_presumed(facts, event)
    facts.started = facts.times.get(states.RUNNING, facts.started)


def _fold_state(facts: RunFacts, event: Dict[str, Any]) -> None:
    attempt, phase, time = event["attempt"], event["phase"], coercion.unix_time(event.get("time"))
    if attempt > facts.attempt:
        facts.times = {}
    if time is not None and attempt >= facts.attempt:
        facts.times[phase] = time
    if (attempt, states.rank(phase)) > (facts.attempt, states.rank(facts.phase)):
        facts.phase, facts.attempt = phase, attempt
        facts.error, facts.reason = _error(event.get("error")), coercion.text(event.get("reason"))
        facts.ended = time if states.is_terminal(phase) else None


def _fold_presumed(facts: RunFacts, event: Dict[str, Any]) -> None:
    """Take a presumed end only while nothing is known beyond what its writer had seen."""
    seen = event.get("seen")
    if states.is_terminal(facts.phase) or not states.is_terminal(event["phase"]) or not states.is_phase(seen):
        return
    if (event["attempt"], states.rank(str(seen))) >= (facts.attempt, states.rank(facts.phase)):
        facts.phase, facts.attempt = event["phase"], event["attempt"]
        facts.error, facts.reason = _error(event.get("error")), coercion.text(event.get("reason"))
        facts.ended = coercion.unix_time(event.get("time"))


def _is_understood(final: Dict[str, Any]) -> bool:
    number = final.get("format", layout.FORMAT)
    return final.get("state") in states.TERMINAL and isinstance(number, int) and number <= layout.FORMAT


def _fold_final(facts: RunFacts, final: Dict[str, Any]) -> None:
    facts.phase = final["state"]
    attempt, started = coercion.integer(final.get("attempt")), coercion.unix_time(final.get("started"))
    facts.attempt = facts.attempt if attempt is None else attempt
    facts.error, facts.reason = _error(final.get("error")), coercion.text(final.get("reason"))
    facts.exit_code, facts.signal = coercion.integer(final.get("exit_code")), coercion.integer(final.get("signal"))
    facts.started = started or facts.started
    facts.ended = coercion.unix_time(final.get("ended"))
    facts.warnings += coercion.texts(final.get("warnings"))


def _error(value: object) -> Optional[Dict[str, Any]]:
    """An error whose code, message and hint are texts; details that are no object are None."""
    if not isinstance(value, dict):
        return None
    found = dict(value)
    for name in ("code", "message", "hint"):
        if name in found:
            found[name] = coercion.scalar_text(found[name])
    if "details" in found and not isinstance(found["details"], dict):
        found["details"] = None
    return found


def _overlay(facts: RunFacts, liveness: str, unreachable: Optional[str], *, owned: bool) -> None:
    if liveness == identity.DEAD:
        lost = runner_lost(facts.cancel_requested, facts.cancel_error, owned=owned)
        facts.phase = facts.state = lost["state"]
        facts.error, facts.reason = lost["error"], lost["reason"]
    elif unreachable:
        facts.state, facts.reason = states.NOT_RESPONDING, unreachable
    elif facts.cancel_requested:
        facts.state = states.CANCEL_REQUESTED
