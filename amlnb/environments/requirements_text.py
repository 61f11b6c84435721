"""Requirements files (pip's format) as values.

What is read: requirements with markers, extras and hashes, addresses, local paths, ``-e``, nested ``-r`` and ``-c``,
and the options that say where packages come from. Whatever else stands in a line is refused, with the line.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement

from amlnb.environments import addresses, requirements_lines, text_files
from amlnb.environments.requirement_names import with_todays_names, without_served
from amlnb.environments.requirements_lines import CONSTRAINT, EDITABLE, FILES, PASSED_OVER, SOURCES
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz", ".tar.xz")
_MARKER = re.compile(r"\s+;|;\s+")
_EXTRAS = re.compile(r"(\[[^\[\]/]*\])$")
_HASH = re.compile(r"(sha256|sha384|sha512):[0-9a-fA-F]+")


@dataclass
class Requirements:
    """What requirements files say.

    Attributes
    ----------
    pip, constraints
        One requirement each, as it was written; hashes follow it (``--hash=sha256:...``), local paths are absolute,
        ``-e`` stands before what is editable.
    options
        Such as ``--extra-index-url ADDRESS``, by their long names.
    credentials
        ``{host[:port]: "user:password"}`` of all addresses.
    notes
        What was passed over.
    """

    pip: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    notes: list[str] = field(default_factory=list)

    def specification(self, origin: str, python: str | None = None) -> EnvironmentSpec:
        """A request for these packages by their names of today, without those that amlnb itself stands for.

        Parameters
        ----------
        origin
            Where they were written.
        python
            Version of Python, if one was asked for.
        """
        asked = EnvironmentSpec(
            origin=origin,
            python=python,
            pip=tuple(self.pip),
            pip_options=tuple(self.options),
            constraints=tuple(self.constraints),
            notes=tuple(self.notes),
            credentials=self.credentials,
        )
        return without_served(with_todays_names(asked))


def read(path: str, environ: Mapping[str, str], name: str | None = None) -> Requirements:
    """Read a requirements file and all that it names by ``-r`` and ``-c``.

    Parameters
    ----------
    path
        Of the file; what it names is relative to it.
    environ
        The person's environment variables, for ``${NAME}``.
    name
        What messages call the file; its base name unless told.

    Raises
    ------
    UserErrorException
        A line cannot be understood, or what it names is not there; with file and line number.
    """
    found = Requirements()
    _Reader(environ, found).read_file(os.path.abspath(path), name or os.path.basename(path))
    return found


def parse(lines: Iterable[tuple[str, str]], folder: str, environ: Mapping[str, str]) -> Requirements:
    """Read lines that stand in no file of their own, such as the ``pip:`` part of an ``environment.yml``.

    Parameters
    ----------
    lines
        Each with what messages call its place.
    folder
        To which paths are relative.
    environ
        As `read`.

    Raises
    ------
    UserErrorException
        As `read`.
    """
    found = Requirements()
    reader = _Reader(environ, found)
    for where, line in lines:
        reader.read_line(line, _Place("", folder, ()), where)
    return found


@dataclass(frozen=True)
class _Place:
    """A file that is being read, or a part of one; and the files that led to it."""

    name: str
    folder: str
    chain: tuple[str, ...]
    is_constraint: bool = False


class _Reader:
    def __init__(self, environ: Mapping[str, str], found: Requirements) -> None:
        self._environ = environ
        self._found = found

    def read_file(self, path: str, name: str, chain: tuple[str, ...] = (), *, is_constraint: bool = False) -> None:
        place = _Place(name, os.path.dirname(path), (*chain, path), is_constraint)
        for number, line in requirements_lines.logical_lines(text_files.read(path, name)):
            self.read_line(line, place, f"{name}, line {number}")

    def read_line(self, line: str, place: _Place, where: str) -> None:
        if any(ord(letter) < 32 and letter != "\t" for letter in line):
            raise UserErrorException(f"{where} has characters that no text has", hint="save the file as UTF-8")
        if not line.startswith("-"):
            self._requirement(line, place, where)
            return
        for option, value in requirements_lines.options_of(line, where):
            self._option(option, value, place, where)

    def _option(self, option: str, value: str, place: _Place, where: str) -> None:
        if option == EDITABLE:
            if place.is_constraint:
                raise UserErrorException(f"{where}: a constraint cannot be editable", hint="write its name and version")
            self._found.pip.append(f"-e {self._located(value, place, where, is_editable=True)}")
        elif option in FILES:
            self._named_file(option, value, place, where)
        elif option in PASSED_OVER:
            self._found.notes.append(f"{where}: {option} was passed over")
        else:
            clean = self._source(option, value, place, where) if option in SOURCES else self._clean(value, where)
            if "@" in clean and option not in SOURCES:
                raise UserErrorException(f"{where}: {option} has an '@'", hint="it takes names alone")
            text = f"{option} {clean}".strip()
            if text not in self._found.options:
                self._found.options.append(text)

    def _source(self, option: str, value: str, place: _Place, where: str) -> str:
        """Where packages come from: an address without credentials, or an absolute path."""
        clean = self._clean(value, where)
        if addresses.is_address(addresses.expanded(value, self._environ, where)):
            if re.search(r"\s", clean):
                raise UserErrorException(
                    f"{where}: {option} has more than an address", hint=f"one {option} for each of them"
                )
            return clean
        path = _absolute(clean, place.folder)
        if not os.path.exists(path):
            hint = "an address begins with https://"
            raise UserErrorException(
                f"{where}: {option} {_shown(clean)!r} is no address, and no file or folder that is there",
                hint=hint if "@" in clean else f"{hint}; {_near_file(path)}",
            )
        return path

    def _named_file(self, option: str, value: str, place: _Place, where: str) -> None:
        if addresses.is_address(value) and not value.startswith("file://"):
            raise UserErrorException(
                f"{where}: {addresses.hidden(value)!r} is an address",
                hint="save that file beside this one, and name it here",
            )
        path = _absolute(self._clean(value, where), place.folder)
        if path in place.chain:
            names = [os.path.basename(each) for each in (*place.chain[place.chain.index(path) :], path)]
            raise UserErrorException(
                f"{where}: these files name each other in a circle: {' -> '.join(names)}", hint="take one -r out"
            )
        if not os.path.isfile(path):
            raise UserErrorException(f"{where}: there is no file {value!r}", hint=_near_file(path))
        name = os.path.join(os.path.dirname(place.name), value)
        self.read_file(path, name, place.chain, is_constraint=place.is_constraint or option == CONSTRAINT)

    def _requirement(self, line: str, place: _Place, where: str) -> None:
        text, options = requirements_lines.requirement_and_options(line, where)
        hashes = []
        for option, value in options:
            if option != "--hash":
                self._found.notes.append(f"{where}: {option} was passed over: uv builds without it")
            elif not _HASH.fullmatch(value):
                raise UserErrorException(f"{where}: {value!r} is no hash", hint="such as --hash=sha256:0123abcd...")
            else:
                hashes.append(f"--hash={value}")
        located = " ".join([self._located(text, place, where), *hashes])
        (self._found.constraints if place.is_constraint else self._found.pip).append(located)

    def _located(self, text: str, place: _Place, where: str, *, is_editable: bool = False) -> str:
        """A requirement as it can be used from anywhere: no relative path, no credentials."""
        is_address = addresses.is_address(text)
        if not is_address and not (_is_path(text) or (is_editable and "@" not in text)):
            clean = self._clean(text, where)
            _check(clean, where)
            return clean
        found = _MARKER.search(text)
        path, marker = (text[: found.start()].strip(), text[found.end() :].strip()) if found else (text, "")
        _check_marker(marker, where)
        clean = self._clean(path, where)
        if is_address:
            _check_address(clean, where)
        else:
            extras = _EXTRAS.search(clean)
            plain = clean[: extras.start()] if extras else clean
            clean = _existing(plain, place.folder, where) + (extras[1] if extras else "")
        return f"{clean} ; {marker}" if marker else clean

    def _clean(self, text: str, where: str) -> str:
        found = addresses.checked(text, self._environ, where)
        addresses.joined(self._found.credentials, found.credentials, where)
        return found.text


def _is_path(text: str) -> bool:
    before = re.split(r"\s|;|\[", text, maxsplit=1)[0]
    if text.startswith((".", "/", "~", "file:")):
        return True
    return "@" not in text and (os.sep in before or before.lower().endswith(ARCHIVES))


def _absolute(path: str, folder: str) -> str:
    if path.startswith("file:"):
        path = unquote(path.removeprefix("file://").removeprefix("file:"))
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def _existing(path: str, folder: str, where: str) -> str:
    found = _absolute(path, folder)
    if not os.path.exists(found):
        raise UserErrorException(f"{where}: there is no file or folder {path!r}", hint=_near_file(found))
    return found


def _near_file(path: str) -> str:
    try:
        names = os.listdir(os.path.dirname(path))
    except (OSError, ValueError):
        names = []
    near = difflib.get_close_matches(os.path.basename(path), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"looked for {path!r}"


def _check_marker(text: str, where: str) -> None:
    try:
        if text:
            Marker(text)
    except InvalidMarker as error:
        raise UserErrorException(
            f"{where}: {text!r} is no marker: {_first_line(error)}", hint="such as ; python_version < '3.9'"
        ) from error


def _check_address(address: str, where: str) -> None:
    try:
        told = urlsplit(address)
        is_whole = bool(told.scheme and (told.netloc or told.scheme == "file") and told.path)
    except ValueError:
        is_whole = False
    if not is_whole or quote(address, safe="%/:=&?~#+!$,;'@()*[]{}") != address:
        raise UserErrorException(
            f"{where}: {_shown(address)!r} is not a whole address, or has characters that no address has",
            hint="such as https://HOST/name-1.0-py3-none-any.whl",
        )
    if told.scheme == "file" and not os.path.exists(_EXTRAS.sub("", unquote(told.path))):
        raise UserErrorException(
            f"{where}: there is no file or folder {unquote(told.path)!r}", hint=_near_file(unquote(told.path))
        )


def _shown(text: str) -> str:
    """For messages: without what may be a password, in what may have been meant to be an address."""
    return addresses.hidden(text) if addresses.is_address(text) else text.rpartition("@")[2]


def _check(text: str, where: str) -> None:
    """Refuse what is no requirement (PEP 508), with what it may have been meant to be."""
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        raise UserErrorException(
            f"{where}: {text!r} is no requirement: {_first_line(error)}", hint=_meant(text)
        ) from error
    if found.url:
        _check_address(found.url, where)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _meant(text: str) -> str:
    found = re.match(r"([A-Za-z0-9._-]+(?:\[[^\]]*\])?)(?:\s*=\s*|\s+)v?(\d[\w.*]*)$", text)
    if found:
        return f"did you mean '{found[1]}=={found[2]}'?"
    if "::" in text:
        return "that is conda's way to write it; it belongs into an environment.yml"
    return "such as 'numpy', 'numpy>=1.26,<3' or 'uvicorn[standard]==0.30'"
