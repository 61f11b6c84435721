"""The studio: the same routes and page by themselves, on loopback, for one workspace; they only read.

``python -m amlnb.server.studio DATA FD`` is one that `amlnb.engine.served_pages` starts, with a socket that listens
already; it ends when nobody has asked for anything for half an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import re
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado import httpserver, web

from amlnb.engine import served_pages
from amlnb.server import studio_key
from amlnb.server.answering import HEADERS
from amlnb.server.encoding import encoded
from amlnb.server.handlers import make_pool, read_page, send
from amlnb.server.hub import Hub
from amlnb.server.page import POLICY
from amlnb.server.served import Served
from amlnb.server.stream_handlers import StreamHandler
from amlnb.server.table import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from types import TracebackType

    from amlnb.server.routes import Route

_log = logging.getLogger("amlnb.server")

IDLE_S = 1800.0
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_COOKIE_DAYS = 30
_LOGIN_BYTES = 1 << 16
_REFUSED = (
    "<!DOCTYPE html><html><head><title>amlnb</title></head><body><h1>This browser is not logged in</h1>"
    "<p><code>amlnb open</code> in the project's folder opens this page for you.</p></body></html>"
)


class Clock:
    """When somebody last asked for anything, in monotonic seconds."""

    def __init__(self) -> None:
        self.asked = time.monotonic()


class Guarded(web.RequestHandler):
    """Who may ask: this user, by token or cookie, from a page of this origin, by a name of this machine."""

    def prepare(self) -> None:
        """Refuse everybody else."""
        clock: Clock = self.settings["clock"]
        if not _HOST.fullmatch(self.request.host):
            self.refuse("this server is asked for by another name than its own")
        elif not self._is_of_this_origin():
            self.refuse("this request comes from another page")
        elif not self.is_known():
            self.refuse("this request has no token of this studio")
        else:
            clock.asked = time.monotonic()

    def is_known(self) -> bool:
        """Whether token or cookie are those of the studio."""
        wanted: str = self.settings["token"]
        kind, _, given = self.request.headers.get("Authorization", "").partition(" ")
        if kind.lower() in ("token", "bearer"):
            return studio_key.is_same(given.strip(), wanted)
        return studio_key.is_same(self.get_cookie(studio_key.COOKIE), studio_key.cookie_of(wanted))

    def refuse(self, message: str) -> None:
        """End the request."""
        self.set_status(403)
        self.set_header("Content-Type", "application/json")
        told = {"message": message, "hint": "'amlnb open' in the project's folder opens the page"}
        self.finish(encoded(told))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Tell what is wrong as the routes do."""
        self.set_header("Content-Type", "application/json")
        told = f"{self.request.method} of this address is refused: {status_code} {self._reason}"
        self.finish(encoded({"message": told, "hint": "'amlnb/api/openapi' tells what is served"}))

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a mistake of ours, without the query: a token may stand there."""
        if typ is not None and value is not None and not isinstance(value, web.HTTPError):
            _log.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))

    def set_default_headers(self) -> None:
        """Say nothing of what serves."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def _is_of_this_origin(self) -> bool:
        origin = self.request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != self.request.host.lower():
            return False
        return self.request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")


class StudioRoute(Guarded):
    """Answers a route."""

    def initialize(self, served: Served, route: Route, pool: ThreadPoolExecutor) -> None:
        """Take what is served."""
        self.served = served
        self.route = route
        self.pool = pool

    async def get(self, *places: str) -> None:
        """Answer a GET."""
        await send(self, self.served, self.route, self.pool, places)


class StudioStream(Guarded, StreamHandler):
    """The stream of a page."""

    def on_close(self) -> None:
        """Keep the studio for who loads the page again."""
        super().on_close()
        clock: Clock = self.settings["clock"]
        clock.asked = time.monotonic()


class StudioPage(Guarded):
    """The page and its files; a browser with a token in the address is logged in, and led on without it."""

    def initialize(self, served: Served, pool: ThreadPoolExecutor) -> None:
        """Take what is served."""
        self.served = served
        self.pool = pool

    def is_known(self) -> bool:
        """As elsewhere; or the token stands in the address."""
        return super().is_known() or studio_key.is_same(self.get_query_argument("token", None), self.settings["token"])

    def refuse(self, message: str) -> None:
        """Tell a person what to do."""
        self.set_status(403)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(_REFUSED)

    async def get(self, path: str = "") -> None:
        """Send the page."""
        if self.get_query_argument("token", None) is not None:
            _log_in(self)
            self.redirect(self.request.path)
            return
        found = await read_page(self.served, self.pool, path)
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Content-Type", found.content_type)
        self.finish(found.data)

    def _is_of_this_origin(self) -> bool:
        return True  # a link to the page may stand anywhere


class Login(StudioPage):
    """Takes the token that `amlnb open` sends from a file."""

    def is_known(self) -> bool:
        """Whether the form has the token."""
        return studio_key.is_same(self.get_body_argument("token", None), self.settings["token"])

    def post(self) -> None:
        """Log the browser in, and lead it on."""
        _log_in(self)
        page, path = self.served.page, self.get_body_argument("next", "")
        self.redirect(path if path.startswith(page) and "//" not in path and "\\" not in path else page)


class Root(Guarded):
    """Leads to the page; there is nothing else at the root."""

    def prepare(self) -> None:
        """Everybody may be led there."""

    def get(self) -> None:
        """Lead on."""
        self.redirect("/" + served_pages.PAGE)


def application(served: Served, hub: Hub, pool: ThreadPoolExecutor, token: str, clock: Clock) -> web.Application:
    """Make the studio; routes that act are not there."""
    handlers: list[Any] = [("/amlnb/api/stream", StudioStream, {"hub": hub})]
    handlers += [
        (f"/amlnb/api/{route.pattern}", StudioRoute, {"served": served, "route": route, "pool": pool})
        for route in ROUTES
        if not route.acts
    ]
    handlers += [
        (f"/{studio_key.LOGIN}", Login, {"served": served, "pool": pool}),
        (f"{served.page}(.*)", StudioPage, {"served": served, "pool": pool}),
        ("/", Root),
        (served.page.rstrip("/"), Root),
    ]
    return web.Application(
        handlers, token=token, clock=clock, default_handler_class=NotServed, log_function=lambda _: None
    )


class NotServed(Guarded):
    """Any other address."""

    def prepare(self) -> None:
        """Tell that there is nothing, to who may know."""
        super().prepare()
        if not self._finished:
            self.set_status(404)
            self.set_header("Content-Type", "application/json")
            self.finish(encoded({"message": "there is nothing at this address", "hint": None}))


def studio_of(data: str) -> Served:
    """What the studio of a workspace serves."""
    return Served(os.path.dirname(os.path.abspath(data)), acts=False, only=data)


async def serve(
    served: Served,
    listener: socket.socket,
    *,
    idle_s: float | None = None,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Serve a workspace until TERM or an interrupt, or until nobody asks any more.

    Parameters
    ----------
    served
        One workspace (`studio_of`).
    listener
        A socket that listens.
    idle_s
        End after so many seconds without a request or an open stream; None for never.
    on_start
        Called with the address of the page.
    """
    clock, pool, hub, ended = Clock(), make_pool(), Hub(served), asyncio.Event()
    served.curves, served.ended = hub.curves, hub.reader
    server = httpserver.HTTPServer(
        application(served, hub, pool, studio_key.token(), clock), max_body_size=_LOGIN_BYTES, xheaders=False
    )
    listener.setblocking(False)
    server.add_socket(listener)
    url = f"http://{served_pages.LOOPBACK}:{listener.getsockname()[1]}/"
    record = served_pages.announce_studio(str(served.only), url, os.getpid())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        if on_start is not None:
            on_start(url)
        await _until(ended, clock, hub, idle_s)
    finally:
        served_pages.withdraw(record)
        server.stop()
        await server.close_all_connections()
        await asyncio.to_thread(hub.close)
        pool.shutdown(wait=False, cancel_futures=True)


async def _until(ended: asyncio.Event, clock: Clock, hub: Hub, idle_s: float | None) -> None:
    """Wait for the end: asked for, or because nobody asks any more."""
    while not ended.is_set():
        left = None if idle_s is None else idle_s - (time.monotonic() - clock.asked)
        if idle_s is not None and hub.followed:
            left = idle_s
        if left is not None and left <= 0:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), left)


def _log_in(handler: web.RequestHandler) -> None:
    handler.set_cookie(
        studio_key.COOKIE,
        studio_key.cookie_of(handler.settings["token"]),
        expires_days=_COOKIE_DAYS,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def main(arguments: list[str]) -> None:
    """Serve a workspace by a socket that was handed on."""
    data, descriptor = arguments
    gc.set_threshold(
        50_000, 20, 50
    )  # what is read is kept: a million values, which need not be looked at again and again
    asyncio.run(serve(studio_of(data), socket.socket(fileno=int(descriptor)), idle_s=IDLE_S))


if __name__ == "__main__":
    main(sys.argv[1:])
