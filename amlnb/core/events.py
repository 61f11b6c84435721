"""Event lines: one JSON object a line, in a writer's ``.events`` file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

WRITER = "writer"
NAME = "name"
VALUE = "value"
STATE = "state"
WARNING = "warning"
PROGRESS = "progress"

# Kinds of a value line (docs/format.md); the last five keep a document as an artifact.
STR = "str"
INT = "int"
FLOAT = "float"
LIST = "list"
ROW = "row"
TABLE = "table"
IMAGE = "image"
CONFUSION_MATRIX = "confusion_matrix"
ACCURACY_TABLE = "accuracy_table"
RESIDUALS = "residuals"
PREDICTIONS = "predictions"
ARTIFACT_KINDS = (IMAGE, CONFUSION_MATRIX, ACCURACY_TABLE, RESIDUALS, PREDICTIONS)


def encode(event: Dict[str, Any]) -> bytes:
    """One line, newline included. Raises TypeError or ValueError for what JSON cannot hold."""
    import json  # seven milliseconds that a script pays when it logs first, not when it starts

    return json.dumps(event, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Optional[Dict[str, Any]]:
    """Return the event of a line, or None where the line is torn, damaged or not an event."""
    import json

    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(event, dict) and isinstance(event.get("t"), str):
        return event
    return None
