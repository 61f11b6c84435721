"""Versions of conda's match specifications as PEP 440 has them."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from amlnb.environments.conda_match import CondaPackage

_PART = re.compile(r"(==|>=|<=|!=|~=|>|<|=)?(.+)")


def to_pip(version: str) -> str | None:
    """Write a version as pip would, such as ``==1.4.*`` for ``=1.4``; empty for any, None if it cannot be written.

    Parameters
    ----------
    version
        As :class:`~amlnb.environments.conda_match.CondaPackage` has it. Of alternatives (``|``) the last one is taken.
    """
    parts = [_part(each) for each in version.rpartition("|")[2].split(",")]
    text = ",".join(dict.fromkeys(part for part in parts if part))
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return None
    return text


def of_python(package: CondaPackage) -> str | None:
    """Version of Python as an `EnvironmentSpec` has it: ``3.6.2``, ``3.8`` or a range; None for any."""
    plain = re.fullmatch(r"={0,2}(\d+(?:\.\d+)*)(?:\.?\*)?", package.version)
    return plain[1] if plain else to_pip(package.version) or None


def _part(text: str) -> str:
    found = _PART.fullmatch(text.strip())
    if found is None:
        return ""
    operator, version = found[1] or "", found[2]
    stem = version.removesuffix("*").removesuffix(".")
    if not stem:
        return ""
    if operator in ("", "=", "=="):
        is_fuzzy = operator == "=" or version != stem
        fuzzy = f"=={stem}.*"
        return fuzzy if is_fuzzy and _is_valid(fuzzy) else f"=={stem}"
    if operator == "!=":
        return f"!={version}" if _is_valid(f"!={version}") else f"!={stem}"
    if operator == "~=" and "." not in stem:
        return f"=={stem}.*"
    return f"{operator}{stem}"


def _is_valid(text: str) -> bool:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True
