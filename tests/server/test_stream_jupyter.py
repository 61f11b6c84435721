"""The stream of a real Jupyter server, under its base URL."""

import asyncio
import contextlib
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from amlnb.core import states
from amlnb.store.known_workspaces import key_of
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.store_contract import record
from amlnb.tracking.create import create_run
from amlnb.tracking.journal import JournalWriter
from tests.server.stream_page import Page, leave

pytestmark = pytest.mark.slow


def address(jupyter, query=""):
    return jupyter.address.replace("http:", "ws:") + "amlnb/api/stream" + query


async def page_of(jupyter, query="", **headers):
    return Page(await websocket_connect(HTTPRequest(address(jupyter, query), headers=headers)))


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_page_with_the_token_follows_a_run(jupyter, how):
    path = str(jupyter.folder / f"stream-{how}" / ".amlnb")
    directory = create_run(open_directory(path, local_ids("stream")).runs, record("r1", created=1.0))
    writer = JournalWriter(directory, "0")
    writer.write_event({"t": "state", "attempt": 1, "phase": states.RUNNING, "time": 100.0})
    key = next(
        each["key"]
        for each in jupyter.json(f"amlnb/api/workspaces?folder=stream-{how}")["workspaces"]
        if each["key"] == key_of(path)
    )

    async def story():
        given = {"Authorization": f"token {jupyter.token}"} if how == "header" else {}
        page = await page_of(jupyter, f"?token={jupyter.token}" if how == "query" else "", **given)
        found = await page.subscribe(1, key, "r1")
        for step in range(5):
            writer.log_float("loss", step, step)
        await page.until(lambda: found.values("loss") == [0, 1, 2, 3, 4])
        assert found.state == states.RUNNING
        await leave(page)

    try:
        asyncio.run(story())
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "{origin}"}, 403),
        ({"Authorization": "token wrong"}, 403),
        ({"Cookie": "{cookie}"}, 101),
        ({"Cookie": "{cookie}", "Origin": "{origin}"}, 101),
        ({"Cookie": "{cookie}", "Origin": "http://elsewhere.example"}, 403),
        ({"Cookie": "{cookie}", "Origin": "null"}, 403),
    ],
)
def test_who_is_logged_in_is_let_in_from_pages_of_the_server_alone(jupyter, headers, status):
    where = urlsplit(jupyter.address)
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    handshake["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    with contextlib.closing(HTTPConnection(where.netloc, timeout=60)) as connection:
        connection.request("GET", f"{where.path}api/status?token={jupyter.token}")
        answer = connection.getresponse()
        answer.read()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        given = {name: value.format(cookie=cookie, origin=f"http://{where.netloc}") for name, value in headers.items()}
        connection.request("GET", f"{where.path}amlnb/api/stream", headers={**handshake, **given})
        assert connection.getresponse().status == status
