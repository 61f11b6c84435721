"""What a cell needs of the notebook around it: found, or refused by name, before anything is submitted. Pure."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlnb.api.cell_code import LOADER
from amlnb.notebook import cell as cell_
from amlnb.notebook import script as script_
from amlnb.notebook.cell import CellException
from amlnb.notebook.collection import Collector, Found, describe, with_empty_before
from amlnb.notebook.dependencies import in_order
from amlnb.notebook.names import FreeNames, free_names
from amlnb.notebook.source_lines import normalized
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, StoredValue, ValueSymbol, format_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from amlnb.notebook.symbols import Namespace

@dataclass(frozen=True)
class Capture:
    """A cell's script and what goes with it.

    Attributes
    ----------
    script
        The whole text, ending with the cell as written.
    cell_line
        1-based line of the script on which the cell begins.
    imports, definitions, values
        What was taken from the notebook, in the script's order.
    results
        Names whose values the script keeps for the notebook when it ends.
    """

    script: str
    cell_line: int
    imports: tuple[ImportSymbol, ...]
    definitions: tuple[DefinitionSymbol, ...]
    values: tuple[ValueSymbol, ...]
    results: tuple[str, ...] = ()

    @property
    def needs_loader(self) -> bool:
        """Whether the script imports the module that loads and keeps values."""
        return bool(self.stored or self.results)

    @property
    def stored(self) -> dict[str, StoredValue]:
        """The values that travel as files, by name."""
        return {value.name: value.content for value in self.values if isinstance(value.content, StoredValue)}

    @property
    def summary(self) -> str:
        """What was captured and how big, in one line."""
        parts = [
            _counted(len(self.imports), "import"),
            _counted(sum(not definition.is_class for definition in self.definitions), "function"),
            _counted(sum(definition.is_class for definition in self.definitions), "class"),
            _counted(len(self.values), "value"),
        ]
        size = sum(value.size_bytes for value in self.stored.values())
        text = ", ".join(part for part in parts if part) or "nothing but the cell"
        return f"{text} ({format_bytes(size)})" if size else text


def capture(
    source: str,
    namespace: Namespace,
    *,
    title: str,
    parameters: Mapping[str, object] | None = None,
    results: Collection[str] = (),
    take: Collection[str] = (),
    only: bool = False,
) -> Capture:
    """Make a cell's script.

    Parameters
    ----------
    source
        The cell without its ``%%submit`` line.
    namespace
        The notebook's names.
    title
        First line of the script's docstring.
    parameters
        Values given with ``--param``: they stand for the notebook's values of these names.
    results
        Names whose values return to the notebook: the script ends by keeping them.
    take
        Names that are captured though the cell does not visibly read them.
    only
        Capture nothing but `take` and what that needs; then no name is called undefined.

    Raises
    ------
    CellException
        If the cell is not plain Python, reads names that are defined nowhere, needs a value that cannot travel, sets
        a parameter itself, or if a name of `take` or `results` is not there.
    """
    with warnings.catch_warnings():
        # A doubtful escape in a text is told by the cell when it runs, not by each reading of it here.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return _capture(normalized(source), namespace, title, dict(parameters or {}), results, take, only)
        except RecursionError as error:
            raise cell_.too_deep() from error


def _capture(
    source: str,
    namespace: Namespace,
    title: str,
    parameters: dict[str, object],
    results: Collection[str],
    take: Collection[str],
    only: bool,
) -> Capture:
    tree = cell_.parse(source)
    names = free_names(source, tree)
    _check_parameters(parameters, names)
    _check_taken(take, namespace, parameters)
    required = frozenset(take) if only else names.required | frozenset(take)
    optional = frozenset[str]() if only else (names.optional | names.in_texts) - required
    found = Collector(namespace, frozenset(parameters), names.bound).collect(required, optional)
    if not (only or names.stars):  # after `import *` nobody can tell which names there are
        _refuse_undefined(found, namespace)
    _refuse_unable(found)
    results = tuple(dict.fromkeys(results))
    _check_results(results, names, {*found.graph.items, *found.imports, *parameters})
    body = with_empty_before(in_order(found.graph, sorted(required | optional)))
    script, cell_line = script_.write(title, list(found.imports.values()), parameters, body, source, results)
    made = Capture(
        script=script,
        cell_line=cell_line,
        imports=tuple(found.imports.values()),
        definitions=tuple(
            s for s in body if isinstance(s, DefinitionSymbol) and found.graph.items[s.name] is s
        ),
        values=tuple(s for s in body if isinstance(s, ValueSymbol)),
        results=results,
    )
    _refuse_loaders_name(made, names)
    return made


def _check_parameters(parameters: dict[str, object], names: FreeNames) -> None:
    for name in parameters:
        if name in names.required | names.optional | names.in_texts:
            continue
        if name in names.bound:
            raise CellException(
                f"--param {name} would have no effect: the cell sets {name} itself.",
                f"move '{name} = ...' to a cell above",
            )
        raise CellException(
            f"--param {name} would have no effect: the cell does not use {name}.{_near(name, names.required)}",
            "name a variable that the cell reads",
        )


def _check_taken(take: Collection[str], namespace: Namespace, parameters: Mapping[str, object]) -> None:
    for name in take:
        if name not in parameters and describe(name, namespace) is None:
            near = _near(name, namespace.names())
            raise CellException(
                f"{name} was asked to be captured, and is not defined in this notebook.{near}",
                "run the cell that defines it, then submit again",
            )


def _check_results(results: Collection[str], names: FreeNames, captured: Collection[str]) -> None:
    if names.stars:
        return
    held = names.bound | frozenset(captured)
    for name in results:
        if name not in held:
            raise CellException(
                f"The cell does not set {name}, which is to return to the notebook.{_near(name, held)}",
                "name a variable that the cell sets",
            )


def _refuse_loaders_name(made: Capture, names: FreeNames) -> None:
    symbols: tuple[ImportSymbol | DefinitionSymbol | ValueSymbol, ...] = made.imports + made.definitions + made.values
    here = {*names.bound, *(symbol.name for symbol in symbols)}
    if made.needs_loader and LOADER in here:
        raise CellException(
            f"The name {LOADER} is taken: in the script of a cell it is the module that loads values.",
            "give your variable another name",
        )


def _refuse_undefined(found: Found, namespace: Namespace) -> None:
    if not found.undefined:
        return
    name, reader = min(found.undefined.items(), key=lambda item: (item[1] is not None, item[0]))
    others = sorted(set(found.undefined) - {name})
    where = f" (through {reader})" if reader else ""
    more = f" Nor {'is' if len(others) == 1 else 'are'} {', '.join(others)}." if others else ""
    raise CellException(
        f"The cell uses {name}{where}, which is not defined in this notebook.{more}{_near(name, namespace.names())}",
        "run the cell that defines it, then submit again",
    )


def _refuse_unable(found: Found) -> None:
    if not found.refused:
        return
    refused = [found.refused[name] for name in sorted(found.refused)]
    what = "; ".join(f"{symbol.name} ({symbol.summary}): {symbol.reason}" for symbol in refused)
    raise CellException(f"The cell uses what cannot travel to a run. {what}.", refused[0].hint)


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _counted(count: int, noun: str) -> str:
    return "" if not count else f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"
