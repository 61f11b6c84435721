"""Text files that a person wrote, as text."""

from __future__ import annotations

import codecs
import re

from amlnb.errors import UserErrorException

LARGEST_BYTES = 2_000_000
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def read(path: str, name: str, largest_bytes: int = LARGEST_BYTES) -> str:
    """Read a text file that a person wrote: UTF-8, with or without a mark, or what its ``coding:`` comment says.

    Parameters
    ----------
    path
        Of the file.
    name
        What messages call it.
    largest_bytes
        What is larger is refused.

    Raises
    ------
    UserErrorException
        It is not there, is no text, or is too large to be one that a person wrote.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(largest_bytes + 1)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserErrorException(f"{name} cannot be read: {told}", hint=f"looked for {path!r}") from error
    if len(data) > largest_bytes:
        raise UserErrorException(
            f"{name} is larger than {largest_bytes:,} bytes", hint="give the file of an environment"
        )
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"  # as PowerShell writes `pip freeze > requirements.txt`
    for line in data.split(b"\n", 2)[:2]:
        told_by_line = _CODING.match(line)
        if told_by_line:
            encoding = told_by_line[1].decode()
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise UserErrorException(f"{name} is no text in {encoding}: {error}", hint="save it as UTF-8") from error
