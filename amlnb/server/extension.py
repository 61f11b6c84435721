"""The extension of Jupyter Server: the routes behind its authentication, under its base URL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado import web

from amlnb.engine.served_pages import PAGE, announce_jupyter, withdraw
from amlnb.server.handlers import make_pool, read_page, send
from amlnb.server.hub import Hub
from amlnb.server.page import POLICY
from amlnb.server.served import Served
from amlnb.server.stream_jupyter import JupyterStreamHandler
from amlnb.server.table import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import ThreadPoolExecutor

    from amlnb.server.routes import Route


class RouteHandler(APIHandler):
    """Answers the routes of one path.

    Jupyter checks the user, the origin and, for what acts by a cookie, the XSRF token.
    """

    auth_resource = "amlnb"

    def initialize(self, served: Served, routes: Mapping[str, Route], pool: ThreadPoolExecutor) -> None:
        """Take what is served, and the routes by their methods."""
        self.served = served
        self.routes = routes
        self.pool = pool

    @web.authenticated
    @authorized
    async def get(self, *places: str) -> None:
        """Answer a GET."""
        await self._answer("GET", places)

    @web.authenticated
    @authorized
    async def post(self, *places: str) -> None:
        """Answer a POST."""
        await self._answer("POST", places)

    @web.authenticated
    @authorized
    async def patch(self, *places: str) -> None:
        """Answer a PATCH."""
        await self._answer("PATCH", places)

    @web.authenticated
    @authorized
    async def delete(self, *places: str) -> None:
        """Answer a DELETE."""
        await self._answer("DELETE", places)

    async def _answer(self, method: str, places: tuple[str, ...]) -> None:
        route = self.routes.get(method)
        if route is None:
            raise web.HTTPError(405, f"{method} is not served here")
        await send(self, self.served, route, self.pool, places)


class PageHandler(JupyterHandler):
    """Sends the page and its files."""

    auth_resource = "amlnb"

    def initialize(self, served: Served, pool: ThreadPoolExecutor) -> None:
        """Take what is served."""
        self.served = served
        self.pool = pool

    @property
    def content_security_policy(self) -> str:
        """That of the page."""
        return POLICY

    @web.authenticated
    @authorized
    async def get(self, path: str = "") -> None:
        """Send the page, and with it the cookie that what acts answers to."""
        _ = self.xsrf_token
        found = await read_page(self.served, self.pool, path)
        self.set_header("Content-Type", found.content_type)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(found.data)


class Extension(ExtensionApp):
    """Serves what `amlnb.server.table` lists."""

    name = "amlnb"
    load_other_extensions = True
    _announced: str | None = None

    def initialize_handlers(self) -> None:
        """Add the handlers."""
        server: Any = self.serverapp
        served = Served(server.root_dir, base_url=server.base_url)
        self._pool = make_pool()
        self._hub = Hub(served)
        served.on_change = self._hub.touch
        served.curves, served.ended = self._hub.curves, self._hub.reader
        self.handlers.append(("/amlnb/api/stream", JupyterStreamHandler, {"hub": self._hub}))
        self.handlers.append((f"/{PAGE}(.*)", PageHandler, {"served": served, "pool": self._pool}))
        by_path: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            by_path.setdefault(route.pattern, {})[route.method] = route
        self.handlers.extend(
            (
                url_path_join("/amlnb/api", pattern),
                RouteHandler,
                {"served": served, "routes": routes, "pool": self._pool},
            )
            for pattern, routes in by_path.items()
        )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Tell where the pages are, now that the port is known."""
        if not serverapp.sock:
            url = serverapp.custom_display_url.partition("?")[0] or serverapp.connection_url
            self._announced = announce_jupyter(url.rstrip("/") + "/", serverapp.root_dir, serverapp.info_file)

    async def stop_extension(self) -> None:
        """End the threads."""
        if self._announced is not None:
            withdraw(self._announced)
        await asyncio.to_thread(self._hub.close)
        self._pool.shutdown(wait=False, cancel_futures=True)
