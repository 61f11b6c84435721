"""The key of this user's studios: a file of mode 600, a cookie made of it, and the pages that log a browser in."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from html import escape
from typing import TYPE_CHECKING

from amlnb import host

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "amlnb-studio"
LOGIN = "amlnb/login"
_FOLDER = "studio"
_OPENED = "open-"
_KEPT_S = 3600.0


def token() -> str:
    """The token, made if there is none; only this user can read its file."""
    path = os.path.join(_folder(), "token")
    with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as file:
        found = file.read().strip()
        if found:
            return found
    temporary = f"{path}.{secrets.token_hex(8)}"
    host.replace_file(temporary, secrets.token_urlsafe(32).encode("ascii"), 0o600)
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)  # of several at once the first one's stays
    os.unlink(temporary)
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def cookie_of(of: str) -> str:
    """What a browser that is logged in holds; it does not tell the token."""
    return hmac.new(of.encode(), b"cookie", hashlib.sha256).hexdigest()


def is_same(given: str | None, wanted: str) -> bool:
    """Compare in a time that tells nothing."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def login_page(base: str, path: str) -> str:
    """Write a page that logs a browser in to a studio and leads it on; returns its path.

    Parameters
    ----------
    base
        Address of the studio, with a slash at its end.
    path
        Where to go then: an address of the studio, without its host.
    """
    return _sending_page(base + LOGIN, {"token": token(), "next": path})


def jupyter_login_page(base: str, jupyters_token: str, path: str) -> str:
    """As `login_page`, of a Jupyter server: its form for logging in takes the token as a password.

    As a token it stands there, too: a form of another page has no XSRF cookie of Jupyter's, and needs none with that.
    """
    return _sending_page(base + "login", {"token": jupyters_token, "password": jupyters_token, "next": path})


def _sending_page(address: str, fields: Mapping[str, str]) -> str:
    """Write a page, for this user alone, that sends a form as soon as it is opened; older ones are removed."""
    folder = _folder()
    for name in os.listdir(folder):
        old = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            if name.startswith(_OPENED) and time.time() - os.path.getmtime(old) > _KEPT_S:
                os.unlink(old)
    page = os.path.join(folder, f"{_OPENED}{secrets.token_hex(8)}.html")
    inputs = (f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())
    text = (
        '<!DOCTYPE html><meta charset="utf-8"><title>amlnb</title>'
        f'<form method="post" action="{escape(address)}">{"".join(inputs)}'
        "<button>Open the runs</button></form><script>document.forms[0].submit()</script>\n"
    )
    host.replace_file(page, text.encode("utf-8"), 0o600)
    return page


def _folder() -> str:
    path = os.path.join(host.cache_dir(), _FOLDER)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path
