"""Routes as values: what a server answers, and how an address leads to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amlnb.server.parameters import Parameter
    from amlnb.server.served import Served

JSON = "application/json"
FRAMES = "application/octet-stream"
ATTACHMENT = "application/octet-stream"
_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class FilePart:
    """Bytes of an open file, which whoever sends them closes.

    Attributes
    ----------
    descriptor
        The open file.
    first, length
        Which bytes of it.
    """

    descriptor: int
    first: int
    length: int


@dataclass(frozen=True)
class Answer:
    """What is sent: a value as JSON, or bytes, or a part of a file; nothing of these with status 204."""

    value: Any = None
    status: int = 200
    data: bytes | None = None
    file: FilePart | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One thing that can be asked.

    Attributes
    ----------
    path
        A template such as ``w/{workspace}/runs/{run}``.
    answer
        Takes what serves and the values of path, query and body by their names; does file I/O, so it runs in a thread.
    told
        What it does, in a sentence.
    gives
        The type of the answer (one of `amlnb.server.contract`), or a content type.
    body
        Fields of the JSON object that is to be sent; None where nothing is.
    acts
        It changes something, or is of no use but for that: a server that only reads does not have it.
    """

    method: str
    path: str
    answer: Callable[[Served, dict[str, Any]], Answer]
    told: str
    gives: Any
    query: tuple[Parameter, ...] = ()
    body: tuple[Parameter, ...] | None = None
    status: int = 200
    acts: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Names of what stands in the path."""
        return tuple(_PLACE.findall(self.path))

    @property
    def pattern(self) -> str:
        """The path as a regular expression with one group a place."""
        parts = _PLACE.split(self.path)
        return "".join("([^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
