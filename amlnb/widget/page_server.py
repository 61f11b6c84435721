"""What pages ask of a server, answered in the kernel: the same routes and the same stream, over a widget's messages."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from amlnb.server.answering import answer
from amlnb.server.encoding import encoded
from amlnb.server.faults import NotThere, TooLarge, fault
from amlnb.server.hub import Hub
from amlnb.server.routes import Answer
from amlnb.server.served import Served
from amlnb.server.stream_session import StreamSession
from amlnb.server.table import ROUTES
from amlnb.store.known_workspaces import key_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amlnb.errors import AmlnbError
    from amlnb.server.routes import Route

_THREADS = 4
_LONGEST_FILE = 8 << 20


class PageServer:
    """Answers the pages of one workspace, in threads of its own: the kernel may be busy.

    Parameters
    ----------
    workspace
        Data directory of the workspace.
    """

    def __init__(self, workspace: str) -> None:
        self.key = key_of(workspace)
        self._served = Served(os.getcwd(), only=workspace)
        self._hub = Hub(self._served)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="amlnb-widget")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="amlnb-widget-loop", daemon=True).start()

    def ask(self, method: str, address: str, body: bytes, done: Callable[[Answer], None]) -> None:
        """Answer a request in a thread; ``done`` is called there."""
        self._pool.submit(lambda: done(self.answer(method, address, body)))

    def answer(self, method: str, address: str, body: bytes) -> Answer:
        """Answer a request for an address below ``amlnb/api/``; whatever goes wrong is an answer as well."""
        parts = urlsplit(address)
        try:
            route, places = _route_to(method, parts.path)
        except NotThere as error:
            return _refused(error)
        query = {
            name: [value.encode() for value in values]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        found = answer(self._served, route, places, query, body, {})
        if found.file is None:
            return found
        try:
            if found.file.length > _LONGEST_FILE:
                return _refused(
                    TooLarge(
                        f"the file has {found.file.length:,} bytes, and a widget passes {_LONGEST_FILE:,}",
                        hint="the run's download_file gets it",
                    )
                )
            data = os.pread(found.file.descriptor, found.file.length, found.file.first)
        finally:
            os.close(found.file.descriptor)
        return Answer(status=found.status, data=data, content_type=found.content_type, headers=found.headers)

    def open_stream(
        self, send: Callable[[str | bytes], None], hang_up: Callable[[], None], opened: Callable[[StreamSession], None]
    ) -> None:
        """Begin a page's stream; ``opened`` gets its session, in the loop's thread, where all of it is to be used."""

        def send_now(message: str | bytes) -> Awaitable[None]:
            # A comm does not tell when a message has been taken: the pause keeps a slow front end from being flooded.
            send(message)
            return asyncio.sleep(0.01)

        self.loop.call_soon_threadsafe(lambda: opened(StreamSession(self._hub, send_now, hang_up)))


@lru_cache(maxsize=16)
def page_server(workspace: str) -> PageServer:
    """The server of a workspace's pages in this process, which all widgets share."""
    return PageServer(workspace)


def _refused(error: AmlnbError) -> Answer:
    status, told = fault(error)
    return Answer(status=status, data=encoded(told))


def _route_to(method: str, path: str) -> tuple[Route, list[str]]:
    for route in ROUTES:
        if route.method == method:
            found = re.fullmatch(route.pattern, path)
            if found is not None:
                return route, [unquote(place) for place in found.groups()]
    raise NotThere(f"nothing answers {method} {path!r}", hint="'openapi' tells what does")
