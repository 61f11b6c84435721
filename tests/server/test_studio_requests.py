"""The studio in this process: what it says of requests that nobody can answer, and what it notes."""

import asyncio
import contextlib
import json
import logging

import pytest
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.websocket import websocket_connect

from amlnb.server.handlers import make_pool
from amlnb.server.hub import Hub
from amlnb.server.studio import Clock, application, studio_of
from tests.server.conftest import TOKEN, Server
from tests.server.stream_page import come_true

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def studio(data):
    """A studio of a workspace. Yields how it is asked, and its clock."""
    served, pool, clock = studio_of(data), make_pool(), Clock()
    hub = Hub(served)
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(application(served, hub, pool, TOKEN, clock))
    server.add_sockets(sockets)
    try:
        yield Server(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", None), clock
    finally:
        server.stop()
        await server.close_all_connections()
        await asyncio.to_thread(hub.close)
        pool.shutdown()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "amlnb/api/w/%ff/runs", 400),
        ("GET", "amlnb/api/w/a/runs?query=%ff", 400),
        ("POST", "amlnb/api/about", 405),
        ("GET", "amlnb/api/nothing", 404),
        ("GET", f"amlnb/studio/%ff?token={TOKEN}", 400),
    ],
)
def test_every_error_is_told_in_a_sentence_and_no_token_is_logged(workspace, caplog, method, path, status):
    async def story():
        async with studio(workspace.path) as (server, _):
            found, body, headers = await asyncio.to_thread(server.ask, path, method)
            assert found == status
            assert headers["Content-Type"] == "application/json"
            assert set(json.loads(body)) == {"message", "hint"}

    with caplog.at_level(logging.DEBUG):
        asyncio.run(story())
    assert TOKEN not in caplog.text


def test_the_half_hour_begins_when_a_page_is_closed(workspace):
    async def story():
        async with studio(workspace.path) as (server, clock):
            address = server.address.replace("http:", "ws:") + "amlnb/api/stream"
            page = await websocket_connect(HTTPRequest(address, headers={"Authorization": f"token {TOKEN}"}))
            clock.asked = 0.0
            page.close()
            await come_true(lambda: clock.asked > 0)
            while await page.read_message() is not None:
                pass

    asyncio.run(story())
