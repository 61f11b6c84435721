"""Packages that were written as a list, or as one word: ``python=3.11,torch==2.13.0,numpy>=1.26,<3``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from amlnb.environments import interpreters, requirements_text
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

_OPERATORS = ("<", ">", "=", "!", "~")
_PYTHON = re.compile(r"python\s*(.*)", re.IGNORECASE | re.DOTALL)


def split(word: str) -> list[str]:
    """Split a word at its commas.

    Not at those in brackets (``uvicorn[standard,extra]``), and not before an operator: ``numpy>=1.26,<3`` is one.
    """
    parts: list[str] = []
    depth = 0
    begun = ""
    for letter in f"{word},":
        depth += (letter in "[(") - (letter in "])")
        if letter != "," or depth > 0:
            begun += letter
            continue
        part = begun.strip()
        begun = ""
        if part.startswith(_OPERATORS) and parts:
            parts[-1] += f",{part}"
        elif part:
            parts.append(part)
    return [*parts, begun.removesuffix(",").strip()] if begun else parts


def of_packages(
    packages: Iterable[tuple[str, str]], origin: str, folder: str, environ: Mapping[str, str]
) -> EnvironmentSpec:
    """Make a request of packages, one of which may be ``python=3.11``.

    Parameters
    ----------
    packages
        Each with what messages call its place.
    origin
        Where they were written.
    folder
        To which paths are relative.
    environ
        The person's environment variables.

    Raises
    ------
    UserErrorException
        One is no requirement.
    """
    python: str | None = None
    lines = []
    for where, text in packages:
        found = _PYTHON.fullmatch(text.strip())
        if found is None or (found[1] and found[1][0] not in "=<>!~ 0123456789"):
            lines.append((where, text.strip()))
            continue
        if python is not None:
            raise UserErrorException(f"{where}: python stands there twice", hint="write it once")
        python = python_version(found[1], where)
    return requirements_text.parse(lines, folder, environ).specification(origin, python)


def python_version(text: str, where: str) -> str:
    """Read a version of Python such as ``3.11``, ``=3.11``, ``==3.11.7`` or ``>=3.10,<3.13``.

    Raises
    ------
    UserErrorException, EnvironmentBuildException
        It is none.
    """
    plain = re.sub(r"^=\s*(?=\w)", "", text.strip())
    exact = re.fullmatch(r"={0,3}\s*(\d+(?:\.\d+)*)(?:\.\*)?", plain)
    version = exact[1] if exact else plain
    if not version:
        raise UserErrorException(f"{where}: python has no version", hint="such as python=3.11")
    interpreters.specifiers(version)
    return version
