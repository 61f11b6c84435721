"""Inline script metadata (PEP 723): the ``# /// script`` block of a script, a cell or a notebook."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.environments import package_lists, toml_values
from amlnb.errors import FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

EXAMPLE = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["numpy", "torch==2.13.0"]\n# ///'
_BEGIN, _END = "# /// script", "# ///"
_NEAR_BEGIN = re.compile(r"#\s*///\s*script\s*")
_LINE = re.compile(r"\(at line (\d+)")
_UV_KEYS = {
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
}


@dataclass(frozen=True)
class Block:
    """A metadata block.

    Attributes
    ----------
    document
        What it says.
    line
        1-based line on which it begins.
    """

    document: Mapping[str, Any]
    line: int


def find(text: str, origin: str) -> Block | None:
    """Find the metadata block of a script or cell; None if it has none.

    Parameters
    ----------
    text
        Of the script or cell.
    origin
        What messages call it.

    Raises
    ------
    UserErrorException
        The block has no end, is no TOML, or there are two.
    """
    lines = text.split("\n")
    begins = [number for number, line in enumerate(lines) if _NEAR_BEGIN.fullmatch(line.rstrip())]
    if not begins:
        return None
    first = begins[0]
    if lines[first].rstrip() != _BEGIN:
        raise UserErrorException(
            f"{origin}, line {first + 1}: {lines[first]!r} begins no metadata", hint=f"write {_BEGIN!r}"
        )
    if len(begins) > 1:
        raise UserErrorException(f"{origin}, line {begins[1] + 1}: a second block of metadata", hint="join the two")
    content: list[str] = []
    for number, line in enumerate(lines[first + 1 :], first + 2):
        plain = line.rstrip()
        if plain == _END:
            return Block(_document("\n".join(content), origin, first + 1), first + 1)
        if not plain.startswith("#") or (plain != "#" and not plain.startswith("# ")):
            raise UserErrorException(
                f"{origin}, line {number}: the metadata that begins on line {first + 1} has no end before this line",
                hint=f"each of its lines begins with '# ', and it ends with {_END!r}",
            )
        content.append(plain[2:])
    raise UserErrorException(
        f"{origin}, line {first + 1}: the metadata that begins here has no end", hint=f"end it with a line {_END!r}"
    )


def text_of_notebook(text: str, origin: str) -> str | None:
    """Find the first code cell of a notebook that has a metadata block, and return it; None if none has.

    Parameters
    ----------
    text
        Of the ``.ipynb`` file.
    origin
        What messages call it.

    Raises
    ------
    FormatError
        It is no notebook.
    """
    try:
        cells = json.loads(text)["cells"]
        sources = [each["source"] for each in cells if each["cell_type"] == "code"]
        texts = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"{origin} is no notebook: {error!r}", hint="open it in Jupyter, and save it") from error
    return next(
        (each for each in texts if any(_NEAR_BEGIN.fullmatch(line.rstrip()) for line in each.split("\n"))), None
    )


def environment_of(block: Block, origin: str, folder: str, environ: Mapping[str, str]) -> EnvironmentSpec:
    """What a block asks for by itself: ``dependencies``, ``requires-python`` and ``[tool.uv]``.

    Parameters
    ----------
    block
        As `find` gives it.
    origin
        What messages call the script or cell.
    folder
        To which paths are relative.
    environ
        The person's environment variables.

    Raises
    ------
    UserErrorException
        A value is of the wrong type, or cannot be understood.
    """
    where = f"{origin}, the metadata on line {block.line}"
    packages = toml_values.texts(block.document, "dependencies", where)
    python = toml_values.text(block.document, "requires-python", where)
    uv = toml_values.table(toml_values.table(block.document, "tool", where), "uv", where)
    lines = [(f"{where}, dependencies", text) for text in packages]
    lines += [(f"{where}, tool.uv", line) for line in _uv_options(uv, f"{where}, tool.uv")]
    if python is not None:
        lines.append((f"{where}, requires-python", f"python {python}"))
    return package_lists.of_packages(lines, f"the metadata of {origin}", folder, environ)


def _uv_options(uv: Mapping[str, Any], where: str) -> list[str]:
    """Options of a requirements file for what uv is told about indexes."""
    lines = []
    for key, option in _UV_KEYS.items():
        value = uv.get(key)
        values = [value] if isinstance(value, str) else toml_values.texts(uv, key, where)
        lines += [f"{option} {shlex.quote(each)}" for each in values]
    if uv.get("no-index") is True:
        lines.append("--no-index")
    indexes = uv.get("index", [])
    for index in indexes if isinstance(indexes, list) else []:
        if not isinstance(index, dict) or not isinstance(index.get("url"), str):
            raise UserErrorException(
                f"{where}: an index has no url", hint='such as [[tool.uv.index]] and url = "ADDRESS"'
            )
        option = "--index-url" if index.get("default") is True else "--extra-index-url"
        lines.append(f"{option} {shlex.quote(index['url'])}")
    return lines


def _document(text: str, origin: str, begins: int) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _LINE.search(str(error))
        line = begins + int(found[1]) if found else begins
        told = _LINE.sub("", str(error)).split(", column")[0].strip() if found else str(error)
        raise UserErrorException(
            f"{origin}, line {line}: the metadata is no TOML: {told}", hint=f"such as:\n{EXAMPLE}"
        ) from error
