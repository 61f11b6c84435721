"""What a handler of either server does with a route: it answers in a thread, and sends in parts."""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tornado.iostream import StreamClosedError

from amlnb.errors import AmlnbError
from amlnb.server.answering import HEADERS, answer
from amlnb.server.page import page_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tornado.web import RequestHandler

    from amlnb.server.page import PageFile
    from amlnb.server.routes import FilePart, Route
    from amlnb.server.served import Served

THREADS = 8
_PART_BYTES = 1 << 18


def make_pool() -> ThreadPoolExecutor:
    """Threads in which routes answer."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="amlnb-server")


async def read_page(served: Served, pool: ThreadPoolExecutor, path: str) -> PageFile:
    """Read the page, or the file of it, of an address; and the table of runs of the workspace that is named there.

    The page will ask for that table next.
    """
    kind, _, rest = path.partition("/")
    key = rest.partition("/")[0]
    if kind == "w" and key:
        pool.submit(_read_table, served, key)
    return await asyncio.get_running_loop().run_in_executor(pool, page_file, path, served.page)


def _read_table(served: Served, key: str) -> None:
    with contextlib.suppress(AmlnbError, OSError):  # told to who asks
        served.table(key).read_ahead()


async def send(
    handler: RequestHandler, served: Served, route: Route, pool: ThreadPoolExecutor, places: tuple[str, ...]
) -> None:
    """Answer a request of a handler whose user may ask it."""
    request = handler.request
    loop = asyncio.get_running_loop()
    query: Mapping[str, Any] = request.query_arguments
    found = await loop.run_in_executor(
        pool, answer, served, route, places, query, request.body or b"", dict(request.headers.get_all())
    )
    handler.set_status(found.status)
    for name, value in {**HEADERS, **found.headers}.items():
        handler.set_header(name, value)
    if found.file is not None:
        await _send_file(handler, found.file, found.content_type, pool)
        return
    if found.status == 204:
        handler.clear_header("Content-Type")
        await _finish(handler, None, found.content_type)
        return
    await _finish(handler, found.data or b"", found.content_type)


async def _send_file(handler: RequestHandler, part: FilePart, content_type: str, pool: ThreadPoolExecutor) -> None:
    loop = asyncio.get_running_loop()
    try:
        handler.set_header("Content-Type", content_type)
        handler.set_header("Content-Length", str(part.length))
        at, end = part.first, part.first + part.length
        while at < end:
            data = await loop.run_in_executor(pool, os.pread, part.descriptor, min(_PART_BYTES, end - at), at)
            if not data:
                break  # it has become shorter meanwhile
            handler.write(data)
            await handler.flush()
            at += len(data)
        if at < end:
            handler.request.connection.close()  # type: ignore[union-attr]  # what was promised cannot come
            return
        await _finish(handler, None, content_type)
    except StreamClosedError:
        return  # who asked has left
    finally:
        os.close(part.descriptor)


async def _finish(handler: RequestHandler, data: bytes | None, content_type: str) -> None:
    """Send what is left of an answer, unless who asked has left."""
    with contextlib.suppress(StreamClosedError):
        if hasattr(handler, "update_api_activity"):  # Jupyter's APIHandler sets the type itself
            await handler.finish(data, set_content_type=content_type)  # type: ignore[call-arg]
            return
        handler.set_header("Content-Type", content_type)
        await handler.finish(data)
