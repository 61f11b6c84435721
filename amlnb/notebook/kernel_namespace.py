"""A running IPython shell's names, described for `capture`."""

from __future__ import annotations
import __future__

import abc
import sys
import types
from typing import TYPE_CHECKING, Any

from amlnb.notebook import later_changes
from amlnb.notebook.attributes import attribute
from amlnb.notebook.definition_sources import DefinitionSource, DefinitionSources, source_of
from amlnb.notebook.executed_cells import ExecutedCells
from amlnb.notebook.later_changes import UntoldChangeError
from amlnb.notebook.names import free_names
from amlnb.notebook.pickling import Surroundings
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, RefusedSymbol
from amlnb.notebook.values import describe_together, describe_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amlnb.notebook.symbols import Symbol, ValueSymbol

_ABSENT = object()


class KernelNamespace:
    """Implements `amlnb.notebook.symbols.Namespace` over live objects.

    Parameters
    ----------
    variables
        The notebook's names.
    hidden
        What the kernel itself put there; these are not the user's.
    cells
        Text of the cells that ran, oldest first.
    lazy_annotations
        The kernel compiles with ``from __future__ import annotations``.
    """

    def __init__(
        self,
        variables: Mapping[str, object],
        hidden: Mapping[str, object],
        cells: Sequence[str],
        *,
        lazy_annotations: bool = False,
    ) -> None:
        self._variables = variables
        self._hidden = hidden
        self._executed = ExecutedCells(cells)
        self._lazy_annotations = lazy_annotations
        self._sources = DefinitionSources()
        self._found: dict[str, DefinitionSource | None] = {}
        self._around = Surroundings(variables, self._definable)

    @classmethod
    def of_shell(cls, shell: Any) -> KernelNamespace:
        """Describe an `IPython.core.interactiveshell.InteractiveShell`."""
        return cls(
            shell.user_ns,
            shell.user_ns_hidden,
            [str(text) for text in shell.history_manager.input_hist_parsed],
            lazy_annotations=bool(shell.compile.flags & __future__.annotations.compiler_flag),
        )

    def names(self) -> Iterable[str]:
        """List the user's names."""
        return [name for name in self._variables if not name.startswith("_") and not self._is_hidden(name)]

    def describe(self, name: str) -> Symbol | None:
        """Tell what a name is; a value is described as it is now."""
        value = self._variables.get(name, _ABSENT)
        if value is _ABSENT or self._is_hidden(name):
            return None
        imported = self._imported(name, value)
        if imported is not None:
            return imported
        definition = self._definition(name, value)
        if definition is not None:
            return definition
        return describe_value(name, value, self._around)

    def together(self, names: Sequence[str]) -> dict[str, ValueSymbol | RefusedSymbol]:
        """Describe values so that what they share in the notebook they share in the script."""
        return describe_together({name: self._variables[name] for name in names}, self._around)

    def settings(self, imported: Iterable[str], script: str) -> list[str]:
        """What cells set in what they imported under these names, and neither an import nor the script repeats."""
        return self._executed.settings(imported, script)

    def _is_hidden(self, name: str) -> bool:
        return name in self._hidden and self._hidden[name] is self._variables.get(name)

    def _imported(self, name: str, value: object) -> Symbol | None:
        binding = self._executed.import_statement(name, value)
        if isinstance(value, types.ModuleType):
            reason = _not_importable(value)
            if reason is not None:
                return RefusedSymbol(name, f"module {value.__name__}", *reason)
        if binding is not None:
            return ImportSymbol(name, binding.statement, binding.module)
        if isinstance(value, types.ModuleType):
            module = value.__name__
            return ImportSymbol(name, f"import {module}" if module == name else f"import {module} as {name}", module)
        return _imported_by_its_own_name(name, value)

    def _definition(self, name: str, value: object) -> DefinitionSymbol | RefusedSymbol | None:
        source = self._source(name, value)
        if source is not None:
            try:
                changes = self._later_changes(name, value, source)
            except UntoldChangeError as error:
                return RefusedSymbol(
                    name, f"class {name}", str(error), f"define it in the class, or {name} inside the cell"
                )
            return DefinitionSymbol(
                name,
                "\n".join([source.text, *changes]),
                source.lazy_annotations,
                isinstance(value, type),
                self._registers(value),
                self._undecorated(name, value, source),
            )
        own = attribute(value, "__name__")
        is_alias = isinstance(value, (type, types.FunctionType)) and isinstance(own, str) and own != name
        if is_alias and self._definable(value) == own:
            return DefinitionSymbol(name, f"{name} = {own}", is_class=isinstance(value, type))
        return None

    def _later_changes(self, name: str, value: object, source: DefinitionSource) -> list[str]:
        if isinstance(value, type):
            return later_changes.of_class(value, name, source, self._variables, self._sources, self._definable)
        if isinstance(value, types.FunctionType):
            changes = later_changes.of_function(value, name, source, self._variables)
        else:
            changes = []
        registry = attribute(value, "registry")
        if isinstance(registry, types.MappingProxyType):  # of functools.singledispatch
            changes += self._registered(name, registry)
        return changes

    def _undecorated(self, name: str, value: object, source: DefinitionSource) -> str:
        is_its_own = isinstance(value, types.FunctionType) and self._sources.of_function(value, name) is not None
        return source.undecorated if is_its_own and source.decorated and not vars(value) else ""

    def _registers(self, value: object) -> frozenset[str]:
        if not isinstance(value, type):
            return frozenset()
        parts = [part for member in vars(value).values() for part in later_changes.registered_in(member)]
        return frozenset(name for part in parts if (name := self._definable(part)) is not None)

    def _registered(self, name: str, registry: Mapping[object, object]) -> list[str]:
        """Definitions that were registered with a generic function."""
        found: dict[str, None] = {}
        for function in registry.values():
            if isinstance(function, types.FunctionType) and function.__name__ != name:
                source = self._sources.of_function(function, function.__name__)
                if source is not None and source.decorated:
                    found[f"\n\n{source.text}"] = None
        return list(found)

    def _source(self, name: str, value: object) -> DefinitionSource | None:
        if name not in self._found:
            source = self._find_source(name, value)
            if source is not None and self._is_stale(name, value, source):
                source = None
            self._found[name] = source
        return self._found[name]

    def _is_stale(self, name: str, value: object, source: DefinitionSource) -> bool:
        if later_changes.is_stale(value, name, source, self._variables):
            return True
        # What a decorator or a metaclass was given is in its result, where nobody can compare it.
        if not source.decorated and type(value) in {type, abc.ABCMeta, types.FunctionType}:
            return False
        needs = free_names(source.text, lazy_annotations=source.lazy_annotations)
        return self._executed.is_older(name, source.text, needs.eager)

    def _find_source(self, name: str, value: object) -> DefinitionSource | None:
        if isinstance(value, type):
            if value.__module__ != "__main__" or value.__qualname__ != name:
                return None
            history = [self._from_history(text) for text in self._executed.definitions(name)]
            return self._sources.of_class(value, name, history)
        if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            source = self._sources.of_function(value, name)
            if source is not None:
                return source
        # What a decorator returned may be any object; the definition that made it was the last to bind the name.
        last = self._executed.definition(name)
        if last is None:
            return None
        source = self._sources.of_decorated(value, name)
        if source is not None:
            return source
        newest = self._from_history(last)
        return newest if newest.decorated else None

    def _from_history(self, text: str) -> DefinitionSource:
        return source_of(text, lazy_annotations=self._lazy_annotations)

    def _definable(self, value: object) -> str | None:
        """The name under which a script has this class or function by source, or the class around it."""
        qualified = attribute(value, "__qualname__")
        if not isinstance(qualified, str) or attribute(value, "__module__") != "__main__":
            return None
        name, *inner = qualified.split(".")
        top = self._variables.get(name, _ABSENT)
        found: object = top
        for part in inner:
            found = attribute(found, part, _ABSENT)
        if found is not value or not isinstance(top, (type, types.FunctionType)):
            return None
        return name if self._source(name, top) is not None else None


def _not_importable(module: types.ModuleType) -> tuple[str, str] | None:
    """Why a script cannot import a module that the notebook has."""
    if module.__name__ == "__main__":
        return "it is the notebook itself", "use the names in it directly"
    if sys.modules.get(module.__name__) is not module:
        return (
            "it was made or loaded in this process, and no import gives it again",
            "write it to a file beside the notebook, and import that",
        )
    return None


def _imported_by_its_own_name(name: str, value: object) -> ImportSymbol | None:
    """The import of a class or function that says itself where it comes from, if that is true."""
    home, own = attribute(value, "__module__"), attribute(value, "__qualname__")
    if not isinstance(home, str) or not isinstance(own, str) or home == "__main__":
        return None
    if "." in own or getattr(sys.modules.get(home), own, None) is not value:
        return None
    suffix = "" if own == name else f" as {name}"
    return ImportSymbol(name, f"from {home} import {own}{suffix}", home)
