"""``environment.yml`` (and v1's ``conda_dependencies.yml``) as an `EnvironmentSpec`.

The file is read as YAML's nodes, not as values: so a version stays as it was written (3.10 is no number here), every
message has its line, and nothing in it is ever executed or multiplied.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from amlnb.environments import addresses, conda_match, conda_versions, requirements_lines, requirements_text, text_files
from amlnb.environments.requirement_names import without_served
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

_KEYS = ("name", "channels", "dependencies", "variables", "prefix")
_EXAMPLE = "such as:\ndependencies:\n  - python=3.11\n  - numpy\n  - pip:\n    - torch"
_MOST_NODES = 20_000
_NULLS = ("", "~", "null", "Null", "NULL")


def read(path: str, environ: Mapping[str, str], name: str | None = None) -> EnvironmentSpec:
    """Read a conda environment file.

    Parameters
    ----------
    path
        Of the file; paths in it are relative to its folder.
    environ
        The person's environment variables, for ``${NAME}``.
    name
        What messages call the file; its base name unless told.

    Raises
    ------
    UserErrorException
        It is not there, no YAML, or something in it cannot be understood; with the line.
    """
    path = os.path.abspath(path)
    name = name or os.path.basename(path)
    return parse(text_files.read(path, name), name, os.path.dirname(path), environ)


def parse(text: str, origin: str, folder: str, environ: Mapping[str, str]) -> EnvironmentSpec:
    """Read the text of a conda environment file.

    Parameters
    ----------
    text
        YAML.
    origin
        What messages call it.
    folder
        To which paths are relative.
    environ
        As `read`.

    Raises
    ------
    UserErrorException
        As `read`.
    """
    return _Reader(origin, folder, environ).spec(_document(text, origin))


def _document(text: str, origin: str) -> MappingNode:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserErrorException(f"{origin}{line}: this is not YAML: {error.problem}", hint=_EXAMPLE) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        told = str(error).partition("\n")[0]
        raise UserErrorException(f"{origin}: this is not YAML: {told}", hint=_EXAMPLE) from error
    if not isinstance(node, MappingNode):
        told = "is empty" if node is None else f"is {_kind(node)}"
        raise UserErrorException(f"{origin}: a conda environment is a mapping, and this {told}", hint=_EXAMPLE)
    _check_size(node, origin)
    return node


def _check_size(node: Node, origin: str) -> None:
    """Refuse what names itself, or is far more than it seems by its aliases."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(each: Node) -> int:
        if id(each) in open_:
            raise UserErrorException(f"{origin}, line {_line(each)}: this names itself", hint="write it out")
        if id(each) not in sizes:
            open_.add(id(each))
            sizes[id(each)] = 1 + sum(size(child) for child in _children(each))
            open_.remove(id(each))
        return sizes[id(each)]

    if size(node) > _MOST_NODES:
        raise UserErrorException(f"{origin}: this is more than {_MOST_NODES:,} values", hint="write it without aliases")


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


class _Reader:
    def __init__(self, origin: str, folder: str, environ: Mapping[str, str]) -> None:
        self._origin = origin
        self._folder = folder
        self._environ = environ
        self._credentials: dict[str, str] = {}
        self._notes: list[str] = []

    def spec(self, document: MappingNode) -> EnvironmentSpec:
        parts = self._parts(document)
        if "dependencies" not in parts:
            raise UserErrorException(f"{self._origin}: there are no dependencies", hint=_EXAMPLE)
        python, conda, entries = self._dependencies(parts["dependencies"])
        pip = requirements_text.parse(entries, self._folder, self._environ)
        addresses.joined(self._credentials, pip.credentials, self._origin)
        asked = dataclasses.replace(
            pip.specification(self._origin, python),
            python_is_soft=python is not None,
            conda=tuple(conda),
            channels=self._channels(parts.get("channels")),
            variables=self._variables(parts.get("variables")),
            credentials=self._credentials,
        )
        return without_served(dataclasses.replace(asked, notes=(*self._notes, *asked.notes)))

    def _parts(self, document: MappingNode) -> dict[str, Node]:
        parts: dict[str, Node] = {}
        for key, value in document.value:
            name = self._text(key, "a key")
            if name in parts:
                raise UserErrorException(f"{self._where(key)}: {name!r} stands here twice", hint="join the two")
            if name not in _KEYS:
                near = difflib.get_close_matches(name, _KEYS, 1)
                if near:
                    raise UserErrorException(
                        f"{self._where(key)}: {name!r} is not known", hint=f"did you mean {near[0]}?"
                    )
                self._notes.append(f"{self._where(key)}: {addresses.hidden(name)!r} was passed over")
            parts[name] = value
        return parts

    def _dependencies(self, node: Node) -> tuple[str | None, list[str], list[tuple[str, str]]]:
        """Version of Python, conda's packages, and the lines below ``pip:`` with their places."""
        python: str | None = None
        conda: list[str] = []
        pip: list[tuple[str, str]] = []
        for each in self._items(node, "dependencies"):
            where = self._where(each)
            if isinstance(each, MappingNode):
                pip += self._below_pip(each)
                continue
            text = self._cleaned(self._text(each, "a dependency"), where)
            package = conda_match.parse(text, where)
            if package.name == "python":
                python = conda_versions.of_python(package) or python
            else:
                conda.append(text)
        return python, conda, pip

    def _below_pip(self, node: MappingNode) -> list[tuple[str, str]]:
        found = []
        for key, value in node.value:
            name, where = self._text(key, "a key"), self._where(key)
            if name != "pip":
                told = f"{name}: {value.value}".strip() if isinstance(value, ScalarNode) else f"{name}:"
                plain = isinstance(value, ScalarNode) and value.value not in _NULLS
                raise UserErrorException(
                    f"{where}: {told!r} is no dependency; only 'pip:' may stand there with a colon",
                    hint=f"write {name}={value.value}" if plain else f"write {name}",
                )
            for each in self._items(value, "what stands below pip"):
                lines = requirements_lines.logical_lines(self._text(each, "a requirement of pip"))
                found += [(self._where(each), line) for _, line in lines]
        return found

    def _channels(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        if isinstance(node, ScalarNode) and node.value not in _NULLS:
            return (self._channel(node),)
        return tuple(dict.fromkeys(self._channel(each) for each in self._items(node, "channels")))

    def _channel(self, node: Node) -> str:
        where = self._where(node)
        text = self._cleaned(self._text(node, "a channel"), where)
        if addresses.has_token(text):
            raise UserErrorException(
                f"{where}: the address of a channel holds a token, which is a secret",
                hint="write /t/${CONDA_TOKEN}/ in its place, and set that environment variable",
            )
        if not text.startswith((".", "/", "~")):
            return text
        path = os.path.normpath(os.path.join(self._folder, os.path.expanduser(text)))
        if not os.path.isdir(path):
            raise UserErrorException(f"{where}: there is no folder {text!r}", hint=f"looked for {path!r}")
        return path

    def _variables(self, node: Node | None) -> dict[str, str]:
        if node is None or (isinstance(node, ScalarNode) and node.value in _NULLS):
            return {}
        if not isinstance(node, MappingNode):
            raise UserErrorException(
                f"{self._where(node)}: variables is {_kind(node)}, not a mapping",
                hint="such as:\nvariables:\n  NAME: value",
            )
        return {
            self._text(key, "a variable"): self._text(value, "a variable's value", empty=True)
            for key, value in node.value
        }

    def _items(self, node: Node, what: str) -> list[Node]:
        if isinstance(node, ScalarNode) and node.value in _NULLS:
            return []
        if not isinstance(node, SequenceNode):
            raise UserErrorException(
                f"{self._where(node)}: {what} is {_kind(node)}, not a list",
                hint="each on a line of its own, after '- '",
            )
        return list(node.value)

    def _text(self, node: Node, what: str, *, empty: bool = False) -> str:
        if not isinstance(node, ScalarNode):
            raise UserErrorException(f"{self._where(node)}: {what} is {_kind(node)}, not a text", hint=_EXAMPLE)
        text = str(node.value)
        if not empty and (not text.strip() or "\0" in text):
            raise UserErrorException(f"{self._where(node)}: {what} is empty", hint="take the line out, or fill it")
        return text

    def _cleaned(self, text: str, where: str) -> str:
        found = addresses.checked(text, self._environ, where)
        addresses.joined(self._credentials, found.credentials, where)
        return found.text

    def _where(self, node: Node) -> str:
        return f"{self._origin}, line {_line(node)}"


def _line(node: Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value[:60])
    return "a list" if isinstance(node, SequenceNode) else "a mapping"
