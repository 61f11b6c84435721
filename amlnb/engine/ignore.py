"""Which entries of a source directory a snapshot leaves out.

``.amlignore`` of the source directory itself decides; without it, ``.gitignore`` there does. As in v1, the two are not
merged and files of subdirectories are not read. The patterns are git's: ``git check-ignore`` gives the same answers.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import TYPE_CHECKING

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from amlnb.errors import SnapshotException

if TYPE_CHECKING:
    from collections.abc import Callable

IGNORE_FILES = (".amlignore", ".gitignore")

# What pathspec writes for "the entry itself or anything below". An entry is asked about before anything below it is
# looked at, so the second half is not needed, and its named group would keep patterns from being joined into one.
_BELOW = re.compile(r"\(\?P<ps_d>/\)")
# Spaces that stood before a final slash belong to the name; bare, they would be cut off once the slash is gone.
_FINAL_SPACE = re.compile(r"(?<!\\) (?= *\Z)")
_LEADING_DIRECTORIES = "^(?:.+/)?"


class IgnoreRules:
    """Patterns of one ignore file, compiled into as few regular expressions as their order allows.

    Parameters
    ----------
    text
        Content of the ignore file; '' ignores nothing.
    """

    def __init__(self, text: str) -> None:
        patterns = [pattern for line in text.split("\n") if (pattern := _Pattern.parse(line)) is not None]
        self._file = _decision([pattern for pattern in patterns if not pattern.directories_only])
        self._directory = _decision(patterns)
        self.text = text

    def ignored_names(self, directory: str, names: list[str], *, directories: bool) -> set[str]:
        """Tell which entries of one directory are ignored.

        Parameters
        ----------
        directory
            Path of the directory relative to the source, with a ``/`` at its end; '' for the source itself. It is not
            ignored itself.
        names
            Names of its entries.
        directories
            True if the names are those of directories, False for anything else.

        Returns
        -------
        set of str
            The ignored ones.
        """
        decide = self._directory if directories else self._file
        return set() if decide is None else {name for name in names if decide(name, directory)}


class _Pattern:
    """One line: what it matches, and whether that is ignored or taken again."""

    __slots__ = ("directories_only", "ignores", "name_only", "regex")

    def __init__(self, regex: str, *, ignores: bool, name_only: bool, directories_only: bool) -> None:
        self.regex = regex
        self.ignores = ignores
        self.name_only = name_only
        self.directories_only = directories_only

    @classmethod
    def parse(cls, line: str) -> _Pattern | None:
        line = _without_trailing_spaces(line.removesuffix("\r"))
        if "//" in line:
            return None  # no path has that, and pathspec would read it as one slash
        directories_only = line.endswith("/")
        if directories_only:
            line = _FINAL_SPACE.sub("[ ]", line.removesuffix("/"))
        try:
            regex, ignores = GitIgnoreSpecPattern.pattern_to_regex(line)
        except GitIgnorePatternError:
            return None  # git, too, reads such a line as one that matches nothing
        if regex is None or ignores is None:
            return None
        regex = _BELOW.sub("/", regex).replace("/|$)", r"/|\Z)")
        name_only = "/" not in line.removeprefix("!")
        if name_only:
            regex = regex.removeprefix(_LEADING_DIRECTORIES)
        return cls(regex, ignores=ignores, name_only=name_only, directories_only=directories_only)


def _without_trailing_spaces(line: str) -> str:
    bare = line.rstrip(" ")
    escaped = bare.endswith("\\") and bare != line
    return bare + " " if escaped else bare


def _decision(patterns: list[_Pattern]) -> Callable[[str, str], bool] | None:
    """Make the function from (name, directory) to "ignored": of the patterns that match, the last one decides."""
    if not any(pattern.ignores for pattern in patterns):
        return None
    runs: list[list[_Pattern]] = []
    for pattern in reversed(patterns):
        if runs and runs[-1][0].ignores == pattern.ignores:
            runs[-1].append(pattern)
        else:
            runs.append([pattern])
    steps = [(run[0].ignores, _joined(run, name_only=True), _joined(run, name_only=False)) for run in runs]

    def decide(name: str, directory: str) -> bool:
        for ignores, match_name, match_path in steps:
            if (match_name and match_name(name)) or (match_path and match_path(directory + name)):
                return ignores
        return False

    if any(match_path for _, _, match_path in steps):
        return decide
    known: dict[str, bool] = {}

    def decide_by_name(name: str, directory: str) -> bool:
        answer = known.get(name)
        if answer is None:
            answer = known[name] = decide(name, directory)
        return answer

    return decide_by_name


def _joined(patterns: list[_Pattern], *, name_only: bool) -> Callable[[str], object] | None:
    regexes = [f"(?:{pattern.regex})" for pattern in patterns if pattern.name_only == name_only]
    if not regexes:
        return None
    with warnings.catch_warnings():
        # A `[` inside of brackets is a plain character to git, and still one to Python.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile("|".join(regexes), re.DOTALL).match


def read_ignore_rules(source_directory: str) -> IgnoreRules:
    """Read the ignore file of a source directory; without one, nothing is ignored.

    Raises
    ------
    SnapshotException
        If the file is there but cannot be read.
    """
    for name in IGNORE_FILES:
        path = os.path.join(source_directory, name)
        try:
            with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                return IgnoreRules(file.read())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SnapshotException(
                f"{path!r} cannot be read ({error.strerror}), so what to leave out is not known",
                hint="make it readable, or remove it",
            ) from error
    return IgnoreRules("")
