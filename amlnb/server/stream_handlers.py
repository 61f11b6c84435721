"""The WebSocket of a page: `StreamSession` in tornado, for any server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from amlnb.server.stream_session import StreamSession

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from amlnb.server.hub import Hub


class StreamHandler(WebSocketHandler):
    """The stream of a page; who may open it, and from where, is decided by the classes it is put together with."""

    session: StreamSession | None = None

    def initialize(self, hub: Hub) -> None:
        """Take the hub."""
        self.hub = hub

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin."""
        super().open(*args, **kwargs)
        self.session = StreamSession(self.hub, self._send, self.close)

    def on_message(self, message: str | bytes) -> None:
        """Take a request."""
        if self.session is not None:
            self.session.receive(message)

    def on_close(self) -> None:
        """End what the page follows."""
        if self.session is not None:
            self.session.close()
            self.session = None
        super().on_close()

    def _send(self, message: str | bytes) -> Awaitable[None]:
        try:
            return _taken(self.write_message(message, binary=isinstance(message, bytes)))
        except WebSocketClosedError as error:
            raise ConnectionResetError("the page has gone") from error


async def _taken(sent: Awaitable[None]) -> None:
    try:
        await sent
    except WebSocketClosedError as error:
        raise ConnectionResetError("the page has gone") from error
