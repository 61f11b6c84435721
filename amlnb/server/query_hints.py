"""What a person may have meant by a query that is none, or by a name in it that no run has. Pure."""

from __future__ import annotations

import difflib
import json
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from amlnb.core import states

MAY_STAND = 'such as: lr < 0.01 and state == "Completed"; metrics["val/loss"].min < 0.2; "bert" in name; not archived'
_FOREIGN = {"&&": "and", "||": "or", "===": "==", "<>": "!=", "=<": "<=", "=>": ">="}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# What a table calls its columns, or people a run's time, and how a query says it.
_COLUMNS = {
    "time": "elapsed, in seconds, such as elapsed > 600",
    "duration": "elapsed, in seconds, such as elapsed > 600",
    "runtime": "elapsed, in seconds, such as elapsed > 600",
    "age": "created, a time, such as created > '2026-11-21'",
    "date": "created, a time, such as created > '2026-11-21'",
    "run": "name, or number, such as number > 3",
    "status": "state, such as state == 'Completed'",
}


class Foreign(NamedTuple):
    """An operator of another language: itself, where it stands, and what it is here."""

    text: str
    at: int
    ours: str


def foreign_operator(source: str) -> Foreign | None:
    """The first operator of another language outside of texts."""
    bare = _QUOTED.sub(lambda text: " " * len(text[0]), source)
    found = [Foreign(text, bare.find(text), ours) for text, ours in _FOREIGN.items() if text in bare]
    return min(found, key=lambda each: each.at, default=None)


def near_state(text: str) -> str:
    """A hint for a text that is no state."""
    near = [state for state in states.ALL if state.lower() == text.lower()]
    near = near or difflib.get_close_matches(text, states.ALL, 1)
    return f"did you mean {near[0]!r}?" if near else f"one of {', '.join(states.ALL)}"


def near_to(name: str, known: Mapping[str, Iterable[str]], fields: Collection[str], *, is_right: bool) -> str:
    """A hint for a name that no run has.

    Parameters
    ----------
    known
        Names of the parameters, metrics and tags that it could have been, by section.
    fields
        The fields that it could have been.
    is_right
        It stands to the right of what compares it.
    """
    if name in states.ALL:
        return f'a state is a text: "{name}"'
    column = _COLUMNS.get(name.lower()) if fields else None
    if column:
        return f"the query says {column}"
    written = {each: each for each in fields}
    for section, names in known.items():
        for each in names:
            written.setdefault(each, _written(each, section))
    near = [written[each] for each in _near(name, list(written))]
    hints = [f"a text stands in quotes: {json.dumps(name, ensure_ascii=False)}"] if is_right else []
    if near:
        hints.append(f"did you mean {' or '.join(near)}?")
    return "; or ".join(hints) or MAY_STAND


def _near(name: str, names: list[str]) -> list[str]:
    """At most two names: those that begin so, else those that look so."""
    begin = _folded(name)
    longer = sorted((each for each in names if _folded(each).startswith(begin)), key=len)
    return longer[:2] or difflib.get_close_matches(name, names, 2)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _written(name: str, section: str) -> str:
    """A name as a query has it: one that is no word stands in quotes."""
    is_word = all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))
    return name if is_word else f"{section}[{json.dumps(name, ensure_ascii=False)}]"
