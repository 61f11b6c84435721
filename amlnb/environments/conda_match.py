"""Conda's match specifications as values, such as ``conda-forge::numpy=1.26`` (a string of ``environment.yml``)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from amlnb.errors import UserErrorException

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_BRACKETS = re.compile(r"\[(.*)\]$", re.DOTALL)
_PAIR = re.compile(r"\s*(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,'\"\s]+))\s*(?:,|$)")
_VERSION = re.compile(r"[\w.*+!<>=~,|^$()-]+")
_OPERATOR = re.compile(r"(<=|>=|==|!=|~=|<|>|=)\s+")


@dataclass(frozen=True)
class CondaPackage:
    """A conda package that was asked for.

    Attributes
    ----------
    name
        In lower case.
    version
        Empty for any; else parts joined by ``,`` (and) and ``|`` (or): ``==1.4`` that one, ``=1.4`` any 1.4,
        ``1.4.*``, ``>=1.2``.
    build
        Empty for any.
    channel
        Empty for those of the whole specification.
    """

    name: str
    version: str = ""
    build: str = ""
    channel: str = ""


def parse(text: str, where: str) -> CondaPackage:
    """Read a match specification.

    Parameters
    ----------
    text
        Such as ``numpy``, ``numpy=1.26``, ``numpy=1.26.4=py311_0``, ``numpy >=1.2,<2``, ``main::numpy[version='>=1']``.
    where
        Where it stands, for messages.

    Raises
    ------
    UserErrorException
        It is none.
    """
    plain = text.strip()
    brackets = _BRACKETS.search(plain)
    pairs = _pairs(brackets[1], text, where) if brackets else {}
    plain = plain[: brackets.start()].strip() if brackets else plain
    channel, _, rest = plain.rpartition("::")
    name = _NAME.match(rest)
    behind = rest[name.end() :] if name else ""
    if name is None or re.fullmatch(r"[\d.]+", name[0]) or (behind and behind[0] not in "=<>!~ \t"):
        raise _refused(text, where)
    version, build = _version_and_build(behind.strip(), text, where)
    return CondaPackage(
        name=name[0].lower(),
        version=version or _of_brackets(pairs.get("version", "")),
        build=build or pairs.get("build", ""),
        channel=channel.strip() or pairs.get("channel", ""),
    )


def _version_and_build(behind: str, text: str, where: str) -> tuple[str, str]:
    if not behind:
        return "", ""
    words = _OPERATOR.sub(r"\1", re.sub(r"\s*([,|])\s*", r"\1", behind)).split()
    first, build = words[0], words[1] if len(words) == 2 else ""
    if len(words) > 2 or first.startswith(("=<", "=>", "=!", "=~", "===")):
        raise _refused(text, where)
    if first.startswith("="):
        bare = first.lstrip("=")
        version, equals, of_version = bare.partition("=")
        build = build or of_version
        is_exact = first.startswith("==") or equals or build
        version = version if "*" in version else f"{'==' if is_exact else '='}{version}"
    else:
        version = _of_brackets(first)
    if not version.strip("=") or not _VERSION.fullmatch(version):
        raise _refused(text, where)
    return "" if version == "*" else version, build


def _of_brackets(version: str) -> str:
    """A version that stands alone is exact."""
    plain = version.replace(" ", "")
    is_bare = plain and plain[0] not in "=<>!~^" and not set(plain) & {"*", ",", "|"}
    return f"=={plain}" if is_bare else "" if plain == "*" else plain


def _pairs(inside: str, text: str, where: str) -> dict[str, str]:
    found = {}
    end = 0
    while end < len(inside):
        pair = _PAIR.match(inside, end)
        if pair is None:
            raise _refused(text, where)
        found[pair[1]] = pair[2] or pair[3] or pair[4] or ""
        end = pair.end()
    return found


def _refused(text: str, where: str) -> UserErrorException:
    meant = re.match(r"\s*([A-Za-z0-9_.-]+)\s*=\s*([<>!~]=?)\s*([\w.]+)\s*$", text)
    sign = {">": ">=", "<": "<="}.get(meant[2], meant[2]) if meant else ""
    return UserErrorException(
        f"{where}: {text!r} is no package of conda",
        hint=f"did you mean '{meant[1]}{sign}{meant[3]}'?"
        if meant
        else "such as numpy, numpy=1.26, numpy>=1.26,<3 or conda-forge::numpy; packages of pip stand below '- pip:'",
    )
