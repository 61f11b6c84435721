"""The stream behind Jupyter's authentication."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin

from amlnb.server.stream_handlers import StreamHandler


class JupyterStreamHandler(WebSocketMixin, StreamHandler, JupyterHandler):
    """The stream of a page of Jupyter's: its user, its origin check, its pings."""

    auth_resource = "amlnb"

    def set_default_headers(self) -> None:
        """Send none of Jupyter's: a WebSocket has no content."""

    @ws_authenticated
    @authorized
    async def get(self, *args: str, **kwargs: str) -> None:
        """Open the WebSocket."""
        await super().get(*args, **kwargs)
