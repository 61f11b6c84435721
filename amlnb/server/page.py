"""The page: static files that the front end's build puts beside this module; any address below is the page itself."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass
from html import escape

STATIC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
# Nothing from elsewhere runs on the page, and none of it is shown within another one.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_INDEX = "index.html"
_NOT_BUILT = (
    "<!DOCTYPE html><html><head><title>amlnb</title></head><body><h1>The page was not built</h1>"
    "<p>This is amlnb from its sources. <code>make lab</code> builds the front end, and so does "
    "<code>pip install .</code>; the wheel brings it.</p></body></html>"
)


@dataclass(frozen=True)
class PageFile:
    """A file of the page."""

    data: bytes
    content_type: str


def page_file(path: str, base: str, folder: str = STATIC) -> PageFile:
    """The file of an address below the page, or the page itself.

    Parameters
    ----------
    path
        What stands behind ``amlnb/studio/``.
    base
        Address of the page, below its host; relative addresses of the page are read from there.
    """
    if path and "/" not in path and path != _INDEX and not path.startswith("."):
        try:
            with open(os.path.join(folder, path), "rb") as file:
                return PageFile(file.read(), mimetypes.guess_type(path)[0] or "application/octet-stream")
        except (OSError, ValueError):
            pass  # an address of the page
    try:
        with open(os.path.join(folder, _INDEX), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        text = _NOT_BUILT
    text = text.replace("<head>", f'<head><base href="{escape(base)}">', 1)
    return PageFile(text.encode("utf-8"), "text/html; charset=utf-8")
