"""Lines of a requirements file: joined where they go on, without comments, split into what is asked and its options."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator

from amlnb.environments.addresses import hidden
from amlnb.errors import UserErrorException

REQUIREMENT, CONSTRAINT, EDITABLE = "--requirement", "--constraint", "--editable"
FILES = (REQUIREMENT, CONSTRAINT, EDITABLE)
# pip reads them; they are of no meaning here, or to anyone any more. True: a value follows.
PASSED_OVER = {
    "--use-feature": True,
    "--use-wheel": False,
    "--no-use-wheel": False,
    "--always-unzip": False,
    "--process-dependency-links": False,
}
_ALIASES = {
    "-r": REQUIREMENT,
    "-c": CONSTRAINT,
    "-e": EDITABLE,
    "-i": "--index-url",
    "--pypi-url": "--index-url",
    "-f": "--find-links",
    "-Z": "--always-unzip",
}
SOURCES = ("--index-url", "--extra-index-url", "--find-links")
_WITH_VALUE = (*SOURCES, "--trusted-host", "--no-binary", "--only-binary")
_SWITCHES = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
_OF_A_REQUIREMENT = ("--hash", "--config-settings", "--config-setting", "-C", "--global-option", "--install-option")
_COMMENT = re.compile(r"(^|\s+)#.*$")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continued lines and take comments off; each line with the number of its first one, empty ones left out."""
    begun: list[str] = []
    first = 1
    for number, line in enumerate([*re.split(r"\r\n|\r|\n", text), ""], 1):
        if not begun:
            first = number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            begun.append(line[:-1])
            continue
        # A comment ends a continued line, and is none of it.
        whole = _COMMENT.sub("", "".join([*begun, "" if is_comment else line])).strip()
        begun = []
        if whole:
            yield first, whole


def options_of(line: str, where: str) -> list[tuple[str, str]]:
    """Read a line of options: each by its long name, with its value (empty for a switch).

    Raises
    ------
    UserErrorException
        One is not known, or has no value.
    """
    words = _words(line, where)
    found = []
    while words:
        found.append(_taken(words, where))
    return found


def requirement_and_options(line: str, where: str) -> tuple[str, list[tuple[str, str]]]:
    """Split a requirement from the options behind it, such as its hashes.

    Raises
    ------
    UserErrorException
        An option cannot stand there.
    """
    begins = re.search(r"\s--?[A-Za-z]", line)
    if begins is None:
        return line, []
    options = []
    words = _words(line[begins.start() :], where)
    while words:
        option, equals, value = words.pop(0).partition("=")
        if option not in _OF_A_REQUIREMENT:
            near = difflib.get_close_matches(option, _OF_A_REQUIREMENT, 1)
            hint = f"did you mean {near[0]}?" if near else "options such as --index-url stand on a line of their own"
            raise UserErrorException(f"{where}: {hidden(option)!r} cannot stand behind a requirement", hint=hint)
        options.append((option, value if equals else words.pop(0) if words else ""))
    return line[: begins.start()].strip(), options


def _words(line: str, where: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UserErrorException(
            f"{where}: {hidden(line)!r} has a quotation mark, or a backslash, without its other half",
            hint="write it without quotation marks",
        ) from error


def _taken(words: list[str], where: str) -> tuple[str, str]:
    """Take an option and its value off the words."""
    word = words.pop(0)
    if not word.startswith("-"):
        raise UserErrorException(
            f"{where}: {hidden(word)!r} stands behind an option, and belongs to none",
            hint="a requirement stands on a line of its own",
        )
    if word.startswith("--"):
        option, equals, value = word.partition("=")
    else:
        option, equals, value = word[:2], word[2:], word[2:].removeprefix("=").strip()
    option = _ALIASES.get(option, option)
    if option in _SWITCHES or PASSED_OVER.get(option) is False:
        if equals:
            raise UserErrorException(f"{where}: {option} takes no value", hint=f"write {option}")
        return option, ""
    if option not in (*FILES, *_WITH_VALUE, *PASSED_OVER):
        _refuse(option, where)
    if not equals and words:
        value = words.pop(0)
    if not value or value.startswith("--"):
        raise UserErrorException(f"{where}: {option} has no value", hint=f"write {option} VALUE")
    return option, value


def _refuse(option: str, where: str) -> None:
    if option in _OF_A_REQUIREMENT:
        raise UserErrorException(f"{where}: {option} belongs to a requirement", hint=f"such as numpy==2.0 {option}=...")
    known = [*FILES, *_WITH_VALUE, *_SWITCHES]
    near = difflib.get_close_matches(option, known, 1, 0.8)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise UserErrorException(f"{where}: the option {option!r} is not known in a requirements file", hint=hint)
