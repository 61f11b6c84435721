"""Pickles that belong to a script: what the notebook defines by source is named in them, not copied."""

from __future__ import annotations

import datetime as dt
import decimal
import dis
import enum
import fractions
import io
import os
import pathlib
import pickle
import re
import sys
import sysconfig
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.notebook.refusals import belongs_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IMMUTABLE = (
    *(str, bytes, int, float, complex, type(None), tuple, frozenset, range, slice, type, property),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, types.GenericAlias),
    *(enum.Enum, re.Pattern, pathlib.PurePath, decimal.Decimal, fractions.Fraction),
    *(dt.date, dt.time, dt.timedelta, dt.tzinfo),
)


class NotHereError(Exception):
    """A part of a value belongs to this process."""

    def __init__(self, part: object) -> None:
        super().__init__(f"{type(part).__qualname__} belongs to this process")
        self.part = part


@dataclass(frozen=True)
class Surroundings:
    """The notebook around a value.

    Attributes
    ----------
    variables
        The notebook's names, which are also the globals of its functions.
    definable
        Tells the name under which a script has a class or function by source, None if it has not.
    """

    variables: Mapping[str, object]
    definable: Callable[[object], str | None]


@dataclass(frozen=True)
class Pickled:
    """A pickle and what it needs.

    Attributes
    ----------
    refers
        Names of definitions that must be there when it is read.
    reads
        Globals of the functions in it, which are there when they are called.
    packages
        (package, version) of whatever objects are in it.
    modules
        Modules beside the notebook that it imports.
    memo
        The mutable objects in it, by identity.
    """

    data: bytes
    refers: frozenset[str]
    reads: frozenset[str]
    packages: tuple[tuple[str, str], ...]
    modules: frozenset[str]
    memo: dict[int, object]


class _Main:
    """In a pickle: the module that reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return __import__, ("__main__",)


class _MainGlobals:
    """In a pickle: the globals of the script that reads it."""

    def __reduce__(self) -> tuple[object, ...]:
        return vars, (_Main(),)


def pickled(value: object, around: Surroundings) -> Pickled:
    """Pickle a value.

    Functions of the notebook that have no source of their own (closures, lambdas in a list) get the script's globals,
    so that they see what the cell sets.

    Raises
    ------
    NotHereError
        If a part of it belongs to this process.
    Exception
        Whatever its classes raise.
    """
    import cloudpickle

    refers: set[str] = set()
    reads: set[str] = set()
    owners: set[str] = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, types.CellType):
                return _reduced_cell(obj)
            if isinstance(obj, (_Main, _MainGlobals)):
                return NotImplemented
            if isinstance(obj, (type, types.FunctionType)):
                name = around.definable(obj)
                if name is not None:
                    refers.add(name)
                    return NotImplemented
            if belongs_here(obj):
                raise NotHereError(obj)
            if isinstance(obj, typing.NewType):  # pickled by its name in `__main__` otherwise
                return typing.NewType, (obj.__name__, obj.__supertype__)
            for owner in (getattr(obj, "__module__", None), type(obj).__module__):
                owners.add(str(owner or "").partition(".")[0])
            reduced = super().reducer_override(obj)
            if isinstance(obj, types.FunctionType) and obj.__globals__ is around.variables and reduced is not None:
                reduced, names = _with_main_globals(obj, reduced)
                reads.update(names)
            return reduced

    buffer = io.BytesIO()
    pickler = Pickler(buffer, protocol=pickle.DEFAULT_PROTOCOL)
    pickler.dump(value)
    memo = {key: item for key, (_, item) in pickler.memo.copy().items()}
    packages = {name: version for name in owners if (version := _version(name)) is not None}
    return Pickled(
        buffer.getvalue(),
        frozenset(refers),
        frozenset(reads),
        tuple(sorted(packages.items())),
        frozenset(name for name in owners if is_beside_notebook(name)),
        {key: item for key, item in memo.items() if not _is_immutable(item)},
    )


def mutable_parts(value: object) -> tuple[dict[int, object], bool]:
    """The mutable objects in builtin containers, by identity; and whether one of them is there more than once."""
    found: dict[int, object] = {}
    twice = False
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind in {list, dict, set, bytearray} or not (kind in {tuple, frozenset} or _is_immutable(item)):
            if id(item) in found:
                twice = True
                continue
            found[id(item)] = item
        if kind is dict:
            waiting += item.keys()  # type: ignore[attr-defined]
            waiting += item.values()  # type: ignore[attr-defined]
        elif isinstance(item, (list, tuple, set, frozenset)) and kind in {list, tuple, set, frozenset}:
            waiting += item
    return found, twice


def is_beside_notebook(module: str) -> bool:
    """Tell whether a module was imported from neither the standard library nor an installed package."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(file, str) or module == "__main__":
        return False
    path = os.path.realpath(file)
    installed = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    return not any(path.startswith(folder + os.sep) for folder in installed) and os.path.dirname(path) in _beside(
        module, path
    )


def _beside(module: str, path: str) -> set[str]:
    """Folders in which a module of the notebook's folder has its file."""
    here = os.path.realpath(os.getcwd())
    return {here, os.path.join(here, module)} if path.startswith(here + os.sep) else set()


def _with_main_globals(function: types.FunctionType, reduced: Any) -> tuple[Any, set[str]]:
    """Make a reduced function take the globals of the script that reads it, and the very cells of its closure.

    cloudpickle gives each function globals and cells of its own: two closures would no longer share a counter.
    """
    maker, (code, _, name, defaults, _), (attributes, slots), *rest = reduced
    state = (attributes, {**slots, "__globals__": {}, "__closure__": None})
    arguments = (code, _MainGlobals(), name, defaults, function.__closure__)
    return (maker, arguments, state, *rest), _globals_of(function.__code__)


def _reduced_cell(cell: types.CellType) -> tuple[object, ...]:
    import cloudpickle

    maker = cloudpickle.cloudpickle._make_empty_cell
    try:
        contents = cell.cell_contents
    except ValueError:
        return maker, ()
    # Set after it was made, for a function may be in its own closure.
    return maker, (), (None, {"cell_contents": contents})


def _globals_of(code: types.CodeType) -> set[str]:
    names = {i.argval for i in dis.get_instructions(code) if i.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _globals_of(constant)
    return names


def _is_immutable(item: object) -> bool:
    return isinstance(item, _IMMUTABLE) or type(item).__module__.startswith("numpy.dtype") or _is_numpy_scalar(item)


def _is_numpy_scalar(item: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(item, (numpy.generic, numpy.dtype, numpy.ufunc))


def _version(package: str) -> str | None:
    version = getattr(sys.modules.get(package), "__version__", None)
    return version if isinstance(version, str) else None
