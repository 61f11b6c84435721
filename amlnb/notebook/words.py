"""The words of a magic's line, as a shell would take them."""

from __future__ import annotations

import shlex

from amlnb.errors import UserErrorException


def words(line: str, magic: str) -> list[str]:
    """Split a line; quotes keep words together, and an unquoted word that begins with ``#`` begins a comment.

    Raises
    ------
    UserErrorException
        A quote is not closed.
    """
    try:
        return shlex.split(_without_comment(line))
    except ValueError as error:
        raise UserErrorException(f"{magic}: a quote is not closed in {line.strip()!r}.", "close it") from error


def _without_comment(line: str) -> str:
    quote, escaped, between = "", False, True
    for position, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and between:
            return line[:position]
        between = character.isspace()
    return line
