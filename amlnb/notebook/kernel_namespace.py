"""A running IPython shell's names, described for `capture`."""

from __future__ import annotations
import __future__

import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

from amlnb.notebook.executed_cells import DefinitionSource, ExecutedCells, class_source, function_source
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, RefusedSymbol
from amlnb.notebook.values import describe_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amlnb.notebook.symbols import Symbol

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
        return describe_value(name, value, self._definable)

    def _is_hidden(self, name: str) -> bool:
        return name in self._hidden and self._hidden[name] is self._variables.get(name)

    def _imported(self, name: str, value: object) -> Symbol | None:
        binding = self._executed.import_statement(name, value)
        if binding is not None:
            return ImportSymbol(name, binding.statement, binding.module)
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                return RefusedSymbol(
                    name, "module __main__", "it is the notebook itself", "use the names in it directly"
                )
            module = value.__name__
            return ImportSymbol(name, f"import {module}" if module == name else f"import {module} as {name}", module)
        return _imported_by_its_own_name(name, value)

    def _definition(self, name: str, value: object) -> DefinitionSymbol | None:
        source = self._source(name, value)
        if source is not None:
            return DefinitionSymbol(name, source.text, source.lazy_annotations)
        own = getattr(value, "__name__", None)
        is_alias = isinstance(value, (type, types.FunctionType)) and isinstance(own, str) and own != name
        if is_alias and self._definable(value) is not None:
            return DefinitionSymbol(name, f"{name} = {own}")
        return None

    def _source(self, name: str, value: object) -> DefinitionSource | None:
        if isinstance(value, type):
            if value.__module__ != "__main__" or value.__qualname__ != name:
                return None
            return class_source(value, name) or self._from_history(name)
        inner = inspect.unwrap(value) if callable(value) and hasattr(value, "__wrapped__") else value
        if isinstance(inner, types.FunctionType) and inner.__module__ == "__main__":
            return function_source(inner, name)
        # What a decorator returned may be any object; the definition that made it was the last to bind the name.
        history = self._from_history(name)
        return history if history is not None and history.text.startswith("@") else None

    def _from_history(self, name: str) -> DefinitionSource | None:
        text = self._executed.definition(name)
        return None if text is None else DefinitionSource(text, self._lazy_annotations)

    def _definable(self, value: object) -> str | None:
        """The name under which a script has this class or function by source."""
        name = getattr(value, "__qualname__", None)
        if not isinstance(name, str) or getattr(value, "__module__", None) != "__main__":
            return None
        return name if self._variables.get(name, _ABSENT) is value and self._source(name, value) is not None else None


def _imported_by_its_own_name(name: str, value: object) -> ImportSymbol | None:
    """The import of a class or function that says itself where it comes from, if that is true."""
    home, attribute = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(home, str) or not isinstance(attribute, str) or home in {"__main__", "builtins"}:
        return None
    if "." in attribute or getattr(sys.modules.get(home), attribute, None) is not value:
        return None
    suffix = "" if attribute == name else f" as {name}"
    return ImportSymbol(name, f"from {home} import {attribute}{suffix}", home)
