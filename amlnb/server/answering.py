"""From a request to an answer, in a worker thread: what the handlers of Jupyter and of the studio share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amlnb.errors import UserErrorException
from amlnb.server.encoding import encoded
from amlnb.server.faults import TooLarge, fault
from amlnb.server.parameters import read_body, read_query
from amlnb.server.routes import JSON, Answer

if TYPE_CHECKING:
    from amlnb.server.routes import Route
    from amlnb.server.served import Served

# Nothing that a run wrote is ever code in the page's origin, and what it logs is not kept in caches of the browser.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

_BODY_BYTES = 1 << 20


def answer(
    served: Served,
    route: Route,
    places: Sequence[str],
    query: Mapping[str, Sequence[bytes]],
    body: bytes,
    headers: Mapping[str, str],
) -> Answer:
    """Answer a request; whatever goes wrong is an answer as well.

    Parameters
    ----------
    places
        What stands in the path at its places.
    query, body, headers
        As they came.
    """
    try:
        values = {
            **dict(zip(route.places, places, strict=True)),
            **read_query({name: [_text(each) for each in given] for name, given in query.items()}, route.query),
        }
        if route.body is not None:
            values["body"] = read_body(_json(body), route.body)
        if "Range" in headers:
            values["range"] = headers["Range"]
        found = route.answer(served, values)
        data = encoded(found.value) if found.value is not None else found.data
    except Exception as error:  # noqa: BLE001 - the boundary: every error is an answer
        status, told = fault(error)
        return Answer(status=status, data=encoded(told))
    if data is None or found.data is data:
        return found
    return Answer(status=found.status, data=data, content_type=JSON, headers=found.headers)


def _text(given: bytes) -> str:
    try:
        return given.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserErrorException(f"{given[:60]!r} is no UTF-8", hint="encode addresses as UTF-8") from error


def _json(body: bytes) -> Any:
    if len(body) > _BODY_BYTES:
        raise TooLarge(f"the body has {len(body):,} bytes", hint=f"{_BODY_BYTES:,} are taken")
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise UserErrorException(f"the body is no JSON: {error}", hint="send a JSON object") from error
