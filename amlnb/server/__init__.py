"""The server: one table of routes, served by an extension of Jupyter Server and by the studio."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What Jupyter Server asks of an extension: where it is."""
    from amlnb.server.extension import Extension

    return [{"module": "amlnb.server", "app": Extension}]
