"""Is the process that a file names alive? Decided from values alone; ``amlnb.host`` reads them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional

ALIVE = "alive"
DEAD = "dead"
UNKNOWN = "unknown"


def liveness(process: Optional[Dict[str, Any]], here: Dict[str, Any], start_of: Callable[[int], Optional[int]]) -> str:
    """Compare a recorded identity with this host.

    Parameters
    ----------
    process
        Identity as written in a run directory; None or a damaged one is unknown.
    here
        The reader's own boot_id, machine_id, hostname and pid_ns.
    start_of
        Start time of a living process here (clock ticks since boot), None if there is none with that pid.

    Returns
    -------
    str
        ``alive``; ``dead``, which is a proof; or ``unknown``.
    """
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return UNKNOWN
    same_boot = bool(here.get("boot_id")) and process.get("boot_id") == here.get("boot_id")
    if not same_boot:
        same_machine = bool(here.get("machine_id")) and process.get("machine_id") == here.get("machine_id")
        booted = bool(here.get("boot_id")) and bool(process.get("boot_id"))
        return DEAD if same_machine and booted and process.get("hostname") == here.get("hostname") else UNKNOWN
    if process.get("hostname") != here.get("hostname") or process.get("pid_ns") != here.get("pid_ns"):
        return UNKNOWN
    start = start_of(process["pid"])
    return ALIVE if start is not None and start == process.get("start") else DEAD
