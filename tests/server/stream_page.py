"""A page's end of the stream, for tests: it builds what a page builds, and waits for what it is told to."""

import asyncio
import contextlib
import json

import numpy as np
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import websocket_connect

from amlnb.live.series_frames import decode_frames
from amlnb.server.hub import Hub
from amlnb.server.stream_handlers import StreamHandler

PATIENCE_S = 60


@contextlib.asynccontextmanager
async def serving(served, port=0, kept_s=0.0):
    """A server of the stream alone, on loopback. Yields its hub and its port."""
    hub, streams = Hub(served, kept_s), set()

    class Noted(StreamHandler):
        def open(self):
            streams.add(self)
            super().open()

        def on_close(self):
            super().on_close()
            streams.discard(self)

    sockets = bind_sockets(port, "127.0.0.1")
    server = HTTPServer(Application([("/stream", Noted, {"hub": hub})]))
    server.add_sockets(sockets)
    try:
        yield hub, sockets[0].getsockname()[1]
    finally:
        server.stop()
        for stream in list(streams):
            stream.close()
        await come_true(lambda: not streams)  # else sockets stay behind in a loop that has ended
        await server.close_all_connections()
        await asyncio.to_thread(hub.close)


async def come_true(condition):
    """Wait for what nobody tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Followed:
    """What a page has of one subscription."""

    def __init__(self):
        self.documents = []
        self.names = []
        self.columns = {}
        self.totals = {}
        self.sampled = {}
        self.frames = 0
        self.bytes = 0
        self.log = None
        self.resets = 0
        self.gone = None
        self.errors = []
        self.runs = []

    @property
    def state(self):
        return self.documents[-1]["state"] if self.documents else None

    def values(self, name):
        return self.columns[name][2].tolist() if name in self.columns else []

    def text(self, message):
        kind = message["t"]
        if kind == "run":
            self.documents.append(message["run"])
        elif kind == "metrics":
            assert message["names"][: len(self.names)] == self.names
            self.names = message["names"]
        elif kind == "log":
            self.log = (message["file"], message["bytes"])
        elif kind == "reset":
            self.resets += 1
            self.names, self.columns, self.totals, self.sampled = [], {}, {}, {}
        elif kind == "runs":
            self.runs.append(message)
        elif kind == "gone":
            self.gone = message
        else:
            self.errors.append(message)

    def frame(self, frame):
        name = self.names[frame.metric]
        arrays = np.array([frame.step, frame.time, frame.value])
        self.frames += 1
        self.bytes += frame.size
        if frame.replaces:
            self.columns[name], self.sampled[name] = arrays, frame.sampled
        else:
            assert frame.first == self.totals.get(name, 0)
            before = self.columns.get(name, np.empty((3, 0)))
            self.columns[name] = np.concatenate([before, arrays], axis=1)
            self.sampled[name] = self.sampled.get(name, False) or frame.sampled
        self.totals[name] = frame.total


class Page:
    """A connection, read in the background."""

    def __init__(self, connection):
        self.connection = connection
        self.followed = {}
        self.problems = []
        self.news = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self):
        while (message := await self.connection.read_message()) is not None:
            if isinstance(message, bytes):
                for frame in decode_frames(message):
                    if frame.sub in self.followed:
                        self.followed[frame.sub].frame(frame)
            else:
                told = json.loads(message)
                if told["sub"] in self.followed:
                    self.followed[told["sub"]].text(told)
                else:
                    self.problems.append(told)
            self.news.set()

    async def send(self, request):
        await self.connection.write_message(request if isinstance(request, str | bytes) else json.dumps(request))

    async def subscribe(self, sub, workspace, run, points=20_000, **more):
        found = self.followed[sub] = Followed()
        await self.send({"op": "subscribe", "sub": sub, "workspace": workspace, "run": run, "points": points, **more})
        return found

    async def watch(self, sub, workspace):
        found = self.followed[sub] = Followed()
        await self.send({"op": "watch", "sub": sub, "workspace": workspace})
        return found

    async def until(self, condition):
        """Wait until something that came makes the condition true."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.news.clear()
                await self.news.wait()


@contextlib.asynccontextmanager
async def page_at(port):
    """A page that is connected to a server on loopback."""
    connection = await websocket_connect(f"ws://127.0.0.1:{port}/stream")
    page = Page(connection)
    try:
        yield page
    finally:
        await leave(page)


async def leave(page):
    """Close a page, and wait until its connection is closed."""
    page.connection.close()
    async with asyncio.timeout(PATIENCE_S):
        await page.reading
