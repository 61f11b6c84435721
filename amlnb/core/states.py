"""The states of a run: one closed enumeration, its order, and which of them are ends.

The names are those of Azure ML's SDK v1; the order is ours: a run moves forward in (attempt, phase) only.
"""

from __future__ import annotations

NOT_STARTED = "NotStarted"
PREPARING = "Preparing"
QUEUED = "Queued"
PROVISIONING = "Provisioning"
STARTING = "Starting"
RUNNING = "Running"
FINALIZING = "Finalizing"
COMPLETED = "Completed"
FAILED = "Failed"
CANCELED = "Canceled"

# Overlays: shown to a reader over a phase, never written as one.
CANCEL_REQUESTED = "CancelRequested"
NOT_RESPONDING = "NotResponding"

PHASES = (NOT_STARTED, PREPARING, QUEUED, PROVISIONING, STARTING, RUNNING, FINALIZING)
TERMINAL = (COMPLETED, FAILED, CANCELED)
ALL = PHASES + TERMINAL + (CANCEL_REQUESTED, NOT_RESPONDING)

_RANK = {phase: rank for rank, phase in enumerate(PHASES)}
_RANK.update({phase: len(PHASES) for phase in TERMINAL})


def is_phase(name: object) -> bool:
    """Tell whether ``name`` may be written as a phase."""
    return isinstance(name, str) and name in _RANK


def is_terminal(state: str) -> bool:
    """Tell whether a run in this state has ended for good."""
    return state in TERMINAL


def rank(phase: str) -> int:
    """Position of a phase within an attempt; the three ends share the last one."""
    return _RANK[phase]
