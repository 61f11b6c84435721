"""Errors to HTTP: the one place that says which status an error has, and what its body tells."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amlnb.errors import AmlnbError, BackendUnavailable, FormatError, UserErrorException

if TYPE_CHECKING:
    from amlnb.server.contract import Fault

_log = logging.getLogger("amlnb.server")
_LONGEST = 4000


class NotThere(UserErrorException):
    """What was asked for by its address is not there."""


class TooLarge(UserErrorException):
    """What was sent, or is to be sent, is larger than what is taken."""


class OutOfRange(UserErrorException):
    """The bytes that were asked for are not in the file."""


_STATUS: dict[type[BaseException], int] = {
    NotThere: 404,
    TooLarge: 413,
    OutOfRange: 416,
    # A file of the run is damaged: the request is right, and no other one would help.
    FormatError: 422,
    BackendUnavailable: 503,
    AmlnbError: 400,
    FileNotFoundError: 404,
    PermissionError: 403,
    OSError: 503,
}


def fault(error: BaseException) -> tuple[int, Fault]:
    """Status and body of the answer to a request that failed.

    What is none of our errors is a mistake of ours: it is logged with its traceback, and the body says so without it.
    """
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    if isinstance(error, AmlnbError):
        return status, {"message": error.message[:_LONGEST], "hint": error.hint}
    if isinstance(error, OSError):
        told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return status, {"message": told, "hint": "see whether it is there and can be read by this user"}
    _log.error("a request failed", exc_info=error)
    return 500, {"message": "the server failed at this request", "hint": "its log tells more; please report it"}
