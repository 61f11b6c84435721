"""Later changes of a run: small immutable files, ordered by number and then by name; no clock decides."""

from __future__ import annotations

from amlnb.core import coercion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Optional, Tuple

TAGS = "tags"
PROPERTIES = "properties"
RENAME = "rename"
ARCHIVE = "archive"
REACTIVATE = "reactivate"
CANCEL = "cancel"
DESCRIBE = "describe"
# Between a script on another machine and the courier: a model of the workspace is asked for, and was brought.
MODEL_WANTED = "model_wanted"
MODEL_BROUGHT = "model_brought"
_DIGITS = 8


def file_name(number: int, random: str) -> str:
    """Name of the edit file with this number."""
    return "{:0{}d}-{}.json".format(number, _DIGITS, random)


def number_of(name: str) -> Optional[int]:
    """Return the number in an edit file's name, or None if it is not one."""
    head, dash, _ = name.partition("-")
    if not dash or not name.endswith(".json") or not (head.isascii() and head.isdigit()):
        return None
    return int(head)


def sort_key(name: str) -> Tuple[int, str]:
    """Order of edit files: by number, ties by name."""
    return (number_of(name) or 0, name)


class Edited:
    """What a run's edits make of its submission record."""

    __slots__ = ("archived", "archived_at", "cancel", "cancel_error", "described", "display_name", "properties", "tags")

    def __init__(self, record: Dict[str, Any]) -> None:
        self.tags: Dict[str, Optional[str]] = _tags(record.get("tags"))
        self.properties: Dict[str, str] = coercion.scalar_texts(record.get("properties"))
        self.display_name: Optional[str] = coercion.text(record.get("display_name"))
        # The record's other fields that may be replaced (of models).
        self.described: Dict[str, Any] = dict(record)
        self.archived = False
        self.archived_at: Optional[float] = None
        self.cancel = False
        # Of who said that it has failed, rather than that it shall end.
        self.cancel_error: Optional[Dict[str, Any]] = None


def fold(record: Dict[str, Any], edits: Iterable[Dict[str, Any]]) -> Edited:
    """Apply edits, in their order, to a submission record. Unknown or damaged edits are ignored."""
    state = Edited(record)
    for edit in edits:
        op = edit.get("op")
        if op == TAGS:
            _fold_tags(state, edit)
        elif op == PROPERTIES:
            for key, value in coercion.scalar_texts(edit.get("properties")).items():
                state.properties.setdefault(key, value)
        elif op == RENAME and isinstance(edit.get("display_name"), str):
            state.display_name = edit["display_name"]
        elif op == DESCRIBE:
            state.described.update(edit)
        elif op in (ARCHIVE, REACTIVATE):
            state.archived = op == ARCHIVE
            state.archived_at = coercion.unix_time(edit.get("time")) if state.archived else None
        elif op == CANCEL and not state.cancel:  # the first word of an end stands
            state.cancel = True
            state.cancel_error = coercion.mapping(edit.get("error")) or None
    return state


def _fold_tags(state: Edited, edit: Dict[str, Any]) -> None:
    for key in coercion.texts(edit.get("remove")):
        state.tags.pop(key, None)
    state.tags.update(_tags(edit.get("tags")))


def _tags(value: object) -> Dict[str, Optional[str]]:
    """Tags without a value keep their None; a value that is no text and no number is left out with its tag."""
    found = {key: (each, coercion.scalar_text(each)) for key, each in coercion.mapping(value).items()}
    return {key: told for key, (each, told) in found.items() if each is None or told is not None}
