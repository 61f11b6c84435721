"""Packages of PyPI and its like: what a list of requirements is, exactly, and installing just that. uv does both."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import tempfile
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from amlnb.environments import given_hashes
from amlnb.environments.build_hints import hint_of, is_of_a_version
from amlnb.environments.builder import BuildLog
from amlnb.environments.keys import content_of
from amlnb.environments.lock import LockedPackage
from amlnb.environments.uv import Answer, Uv
from amlnb.errors import EnvironmentBuildException

_COMPILE = ("pip", "compile", "--format", "pylock.toml", "--no-header", "--quiet", "-")
# Of all packages only wheels are taken.
ALL = ":all:"
_LOWEST = ("--resolution", "lowest-direct")
_FINAL_ONLY = ("--prerelease", "explicit")
_EDITABLE = "-e "
_OF_A_FOLDER = "folder:"
_FIRST_LINES, _LAST_LINES, _MOST_LINES = 8, 24, 40
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class Unsatisfiable(EnvironmentBuildException):
    """No set of packages meets the requirements.

    Attributes
    ----------
    words
        What the solver said, in one line.
    """

    def __init__(self, message: str = "", hint: str | None = None, words: str = "") -> None:
        super().__init__(message, hint)
        self.words = words


@dataclass(frozen=True)
class Compiled:
    """What a list of requirements is, exactly.

    Attributes
    ----------
    sources
        Names of the packages that have no wheel for this Python and platform.
    """

    packages: tuple[LockedPackage, ...]
    sources: frozenset[str]


class PipPackages:
    """Packages for one Python.

    Parameters
    ----------
    uv
        The program.
    python
        Path of the interpreter that they are for.
    options
        Those of a specification: ``--pre`` and ``--require-hashes`` count.
    """

    def __init__(self, uv: Uv, python: str, options: Collection[str] = ()) -> None:
        self._uv = uv
        self._python = python
        self._pre = ("--prerelease", "allow") if "--pre" in options else ()
        self._all_hashed = given_hashes.REQUIRE in options

    def compile(
        self,
        requirements: Sequence[str],
        log: BuildLog,
        *,
        constraints: Sequence[str] = (),
        build_constraints: Sequence[str] = (),
        there: Collection[str] = (),
        wheels: Collection[str] = (),
        lowest: bool = False,
        final_only: bool = False,
    ) -> Compiled:
        """Decide which versions meet the requirements; where hashes were given, the files must be those.

        Parameters
        ----------
        requirements, constraints, build_constraints
            One each, as requirements files have them.
        log
            Is told how it goes.
        there
            Names of packages that are installed already: they need no hash.
        wheels
            Names of packages of which only wheels are taken; `ALL` for all.
        lowest
            Of what is asked for by name the lowest version, not the highest.
        final_only
            No version that is no final one (``2.0rc1``), not even where there is no other. Without it one is taken if
            its package has no other, or if it is asked for.

        Raises
        ------
        Unsatisfiable
            None do.
        EnvironmentBuildException
            It cannot be told: an index does not answer, or a source's own setup fails. Or a hash is another one.
        """
        options = [word for name in sorted(wheels) for word in ("--only-binary", name)]
        options += _LOWEST if lowest else ()
        with _files(constraints=constraints, build_constraints=build_constraints) as paths:
            arguments = [*_COMPILE, "--python", self._python, *_options(paths), *options]
            given = "\n".join(requirements)
            pre = self._pre or (_FINAL_ONLY if final_only else ())
            answer = self._uv.run([*arguments, *pre], log, given=given, quiet=True)
            if not answer.code and not pre and self._has_final(_compiled(answer.output).packages, log):
                answer = self._uv.run([*arguments, *_FINAL_ONLY], log, given=given, quiet=True)
        if answer.code:
            if len(_error_lines(answer.told)) > _MOST_LINES:
                for line in answer.told.splitlines():
                    log.line(line)
            raise self.failure(answer, log)
        found = _compiled(answer.output)
        lines = (*requirements, *constraints)
        asked = given_hashes.given(lines)
        if not asked and not self._all_hashed:
            return found
        return replace(found, packages=given_hashes.checked(found.packages, asked, lines, there))

    def nearest_wheel(self, name: str, version: str, log: BuildLog) -> str | None:
        """The nearest version that has a wheel: the lowest one above, else the highest one below; None for neither."""
        for relation, resolution in ((">=", _LOWEST), ("<", ())):
            found = self._one(f"{name}{relation}{version}", log, "--only-binary", ALL, *_FINAL_ONLY, *resolution)
            if found is not None:
                return found
        return None

    def has_wheel(self, requirement: str, python: str, log: BuildLog) -> bool:
        """Tell whether a requirement can be met by a wheel for another version of Python, such as ``3.9``."""
        return self._one(requirement, log, "--only-binary", ALL, "--python-version", python) is not None

    def source(self, requirement: str, log: BuildLog) -> LockedPackage | None:
        """The source that meets a requirement; None if none fits this Python.

        Raises
        ------
        Unsatisfiable
            No version meets it, on any Python.
        """
        answer = self._uv.run([*_COMPILE, "--python", self._python, "--no-deps"], log, given=requirement, quiet=True)
        if not answer.code:
            return next(iter(_compiled(answer.output).packages), None)
        if is_of_a_version(answer.words):
            raise self.failure(answer, log)
        return None

    def neighbours(self, name: str, version: str, log: BuildLog) -> list[str]:
        """The nearest versions that exist, below and above one that does not."""
        below = self._one(f"{name}<{version}", log, "--resolution", "highest")
        above = self._one(f"{name}>{version}", log, *_LOWEST)
        return [each for each in (below, above) if each is not None]

    def builds(
        self,
        package: LockedPackage,
        log: BuildLog,
        *,
        build_constraints: Sequence[str] = (),
        limit_s: float | None = None,
    ) -> Answer:
        """Build the source of a package, whose wheel uv then keeps in its cache."""
        with (
            tempfile.TemporaryDirectory(prefix="amlnb-build-") as folder,
            _files(build_constraints=build_constraints) as paths,
        ):
            arguments = ["pip", "install", "--python", self._python, "--target", os.path.join(folder, "packages")]
            arguments += ["--no-deps", *_options(paths), "-r", "-"]
            return self._uv.run(arguments, log, given=_line(package), limit_s=limit_s)

    def install(
        self,
        packages: Sequence[LockedPackage],
        python: str,
        log: BuildLog,
        *,
        build_constraints: Sequence[str] = (),
        exact: bool = True,
    ) -> None:
        """Install packages, checking their hashes.

        Parameters
        ----------
        packages
            As `compile` returned them.
        python
            The Python of the environment they go into.
        exact
            Nothing else stays there.

        Raises
        ------
        EnvironmentBuildException
            One cannot be fetched or built, or is not what it was.
        """
        if not packages:
            return
        text = "\n".join(_line(package) for package in packages)
        with _files(build_constraints=build_constraints) as paths:
            arguments = ["pip", "sync"] if exact else ["pip", "install", "--no-deps"]
            # uv looks at a folder's metadata alone to tell whether it has it in its cache.
            arguments += [word for each in packages if _is_folder(each) for word in ("--refresh-package", each.name)]
            arguments += ["--python", python, *_options(paths), *(() if exact else ("-r",)), "-"]
            # What uv has in its cache needs no index to be asked; after `compile` that is mostly all.
            answer = self._uv.run([*arguments, "--offline"], log, given=text, quiet=True)
            if answer.code:
                answer = self._uv.run(arguments, log, given=text)
            else:
                for line in answer.told.splitlines():
                    log.line(line)
        if answer.code:
            raise self.failure(answer, log)

    def _one(self, requirement: str, log: BuildLog, *options: str) -> str | None:
        arguments = [*_COMPILE, "--python", self._python, "--no-deps", *options]
        answer = self._uv.run(arguments, log, given=requirement, quiet=True)
        packages = () if answer.code else _compiled(answer.output).packages
        return packages[0].version if packages else None

    def _has_final(self, packages: Sequence[LockedPackage], log: BuildLog) -> bool:
        """Tell whether there is a final version of a package that has none among these."""
        return any(
            self._one(package.name, log, "--prerelease", "disallow") is not None
            for package in packages
            if package.source is None and _version(package.version).is_prerelease
        )

    def failure(self, answer: Answer, log: BuildLog) -> EnvironmentBuildException:
        """The error of a command that failed: uv's own words, of very many the first and the last, and a hint."""
        hint = hint_of(answer.told, lambda name, version: self.neighbours(name, version, log))
        if "No solution found" in answer.words or "were unsatisfiable" in answer.words:
            return Unsatisfiable(error_of(answer.told), hint, answer.words)
        return EnvironmentBuildException(error_of(answer.told), hint)


def error_of(told: str) -> str:
    """The error in what uv said, without what it said before; of very many lines the first and the last."""
    lines = _error_lines(told)
    if len(lines) > _MOST_LINES:
        left_out = len(lines) - _FIRST_LINES - _LAST_LINES
        between = f"  ... {left_out} lines that the build log has ..."
        lines = [*lines[:_FIRST_LINES], between, *lines[-_LAST_LINES:]]
    return "\n".join(lines)


def check_installed(packages: Sequence[LockedPackage], prefix: str) -> None:
    """See that packages are in an environment, wherever uv was told to put them.

    Raises
    ------
    EnvironmentBuildException
        One is not.
    """
    paths = glob.glob(os.path.join(glob.escape(prefix), "lib*", "python*", "site-packages", "*.dist-info"))
    there = {canonicalize_name(os.path.basename(path).removesuffix(".dist-info").rpartition("-")[0]) for path in paths}
    missing = [package.name for package in packages if package.name not in there]
    if missing:
        raise EnvironmentBuildException(
            f"uv did not install {', '.join(missing)} in {prefix!r}, and told no error",
            hint="do variables whose names begin with UV_ send packages elsewhere?",
        )


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def _error_lines(told: str) -> list[str]:
    lines = told.strip("\n").split("\n")
    at = next((number for number, line in enumerate(lines) if line.lstrip().startswith(("error:", "×"))), 0)
    return [lines[at].removeprefix("error: "), *lines[at + 1 :]]


def _compiled(text: str) -> Compiled:
    """What a pylock.toml (PEP 751) holds; of the files only their hashes: where they lie differs between machines."""
    entries = tomllib.loads(text).get("packages", ())
    sources = frozenset(
        canonicalize_name(entry["name"]) for entry in entries if "sdist" in entry and not entry.get("wheels")
    )
    return Compiled(tuple(sorted(map(_package, entries), key=lambda each: each.name)), sources)


def _package(entry: Mapping[str, Any]) -> LockedPackage:
    files = [*entry.get("wheels", ()), *([entry["sdist"]] if "sdist" in entry else ())]
    source = None
    for kind in ("vcs", "directory", "archive"):
        if kind in entry:
            source = _source(kind, entry[kind])
            files = [entry[kind]] if kind == "archive" else []
    hashes = sorted(f"{name}:{value}" for file in files for name, value in (file.get("hashes") or {}).items())
    if source is not None and "directory" in entry and not source.startswith(_EDITABLE):
        hashes = [f"{_OF_A_FOLDER}{content_of(source)}"]
    return LockedPackage(canonicalize_name(entry["name"]), str(entry.get("version") or ""), tuple(hashes), source)


def _source(kind: str, entry: Mapping[str, Any]) -> str:
    where = _CREDENTIALS.sub("", str(entry.get("url") or entry.get("path") or ""))
    inside = f"#subdirectory={entry['subdirectory']}" if entry.get("subdirectory") else ""
    if kind == "vcs":
        return f"{entry.get('type', 'git')}+{where}@{entry['commit-id']}{inside}"
    editable = _EDITABLE if entry.get("editable") else ""
    return f"{editable}{where if '://' in where else os.path.abspath(where)}{inside}"


def _line(package: LockedPackage) -> str:
    """A locked package as a requirements file has it."""
    if package.source is None:
        return " ".join([f"{package.name}=={package.version}", *(f"--hash={each}" for each in package.hashes)])
    if package.source.startswith(_EDITABLE):
        return package.source
    source = package.source if "://" in package.source else f"file://{quote(package.source)}"
    hashes = () if _is_folder(package) else package.hashes
    return " ".join([f"{package.name} @ {source}", *(f"--hash={each}" for each in hashes)])


def _is_folder(package: LockedPackage) -> bool:
    return any(each.startswith(_OF_A_FOLDER) for each in package.hashes)


def _options(paths: Mapping[str, str]) -> list[str]:
    return [
        word
        for name, flag in (("constraints", "--constraints"), ("build_constraints", "--build-constraints"))
        if name in paths
        for word in (flag, paths[name])
    ]


@contextlib.contextmanager
def _files(**texts: Sequence[str]) -> Any:
    """Temporary files, readable by their owner alone, of those texts that say anything."""
    with contextlib.ExitStack() as stack:
        paths = {}
        for name, lines in texts.items():
            if lines:
                file = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="amlnb-", suffix=".txt"))
                file.write("\n".join([*lines, ""]))
                file.flush()
                paths[name] = file.name
        yield paths
