"""What a page may ask of the stream: its texts, checked. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from amlnb.errors import UserErrorException

FEWEST_POINTS = 8
MOST_POINTS = 200_000
LONGEST_REQUEST = 1_000_000
_LONGEST_NAME = 1000
_OPS = {
    "subscribe": {"op", "sub", "workspace", "run", "points", "have"},
    "watch": {"op", "sub", "workspace"},
    "unsubscribe": {"op", "sub"},
}


@dataclass(frozen=True)
class Subscribe:
    """Follow a run; ``have`` tells how many points of each metric the page knows from before a break."""

    sub: int
    workspace: str
    run: str
    points: int
    have: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """Follow the runs of a workspace."""

    sub: int
    workspace: str


@dataclass(frozen=True)
class Unsubscribe:
    """End one of both."""

    sub: int


class BadRequest(UserErrorException):
    """A request that cannot be taken.

    Attributes
    ----------
    sub
        The subscription that it was about, where that can be told.
    """

    def __init__(self, message: str = "", hint: str | None = None, sub: int | None = None) -> None:
        super().__init__(message, hint)
        self.sub = sub


def parse(text: str | bytes) -> Subscribe | Watch | Unsubscribe:
    """Read a request.

    Raises
    ------
    BadRequest
        It is none of ours.
    """
    if isinstance(text, bytes):
        raise BadRequest(
            f"a binary request of {len(text)} bytes", hint='requests are texts, as in {"op": "unsubscribe", "sub": 1}'
        )
    if len(text) > LONGEST_REQUEST:
        raise BadRequest(f"a request of {len(text)} characters", hint=f"at most {LONGEST_REQUEST} are taken")
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{text[:80]!r} is not JSON: {error}", hint='as in {"op": "unsubscribe", "sub": 1}') from error
    if not isinstance(request, dict):
        raise BadRequest(f"{text[:80]!r} is not a JSON object", hint='as in {"op": "unsubscribe", "sub": 1}')
    given = request.get("sub")
    sub = given if _is_whole(given, 1, 2**32 - 1) else None
    op = request.get("op")
    if not isinstance(op, str) or op not in _OPS:
        raise BadRequest(f"the request's 'op' is {_shown(op)}", hint=f"it is one of {', '.join(_OPS)}", sub=sub)
    if sub is None:
        raise BadRequest(
            f"'sub' of {op} is {_shown(given)}", hint="a whole number from 1 to 4294967295, of your choice"
        )
    unknown = sorted(request.keys() - _OPS[op])
    if unknown:
        raise BadRequest(f"{op} has no {_shown(unknown[0])}", hint=f"it has {', '.join(sorted(_OPS[op]))}", sub=sub)
    if op == "unsubscribe":
        return Unsubscribe(sub)
    workspace = _name(request, "workspace", sub)
    if op == "watch":
        return Watch(sub, workspace)
    return Subscribe(sub, workspace, _name(request, "run", sub), _points(request, sub), _have(request, sub))


def _name(request: dict[str, Any], key: str, sub: int) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise BadRequest(
            f"{key!r} of {request['op']} is {_shown(value)}", hint="a text, as the server tells it", sub=sub
        )
    return value


def _points(request: dict[str, Any], sub: int) -> int:
    value: Any = request.get("points")
    if not _is_whole(value, FEWEST_POINTS, MOST_POINTS):
        hint = f"a whole number from {FEWEST_POINTS} to {MOST_POINTS}: of a longer curve so many points are sent"
        raise BadRequest(f"'points' of subscribe is {_shown(value)}", hint=hint, sub=sub)
    return int(value)


def _have(request: dict[str, Any], sub: int) -> dict[str, int]:
    have = request.get("have", {})
    if not isinstance(have, dict) or not all(_is_whole(count, 0, 2**53) for count in have.values()):
        raise BadRequest(
            f"'have' of subscribe is {_shown(have)}", hint='numbers of points by metric, as in {"loss": 120}', sub=sub
        )
    return have


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
