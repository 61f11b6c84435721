"""What a name of the notebook is, as far as a script needs to know: plain values, made before any script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

VALUE_LIMIT_BYTES = 64_000_000


@dataclass(frozen=True)
class ImportSymbol:
    """A name that an import makes.

    Attributes
    ----------
    statement
        One or more import statements that bind it.
    module
        Dotted name of the module that is imported (from).
    """

    name: str
    statement: str
    module: str


@dataclass(frozen=True)
class DefinitionSymbol:
    """A function, class or expression that is taken by its source, which binds the name.

    Attributes
    ----------
    registers
        Definitions that put themselves into a registry of this one, and so go with it.
    undecorated
        Source that makes the same function without its decorators, which only noted it; empty if they did more.
    """

    name: str
    source: str
    lazy_annotations: bool = False
    is_class: bool = False
    registers: frozenset[str] = frozenset()
    undecorated: str = ""


@dataclass(frozen=True)
class StoredValue:
    """A value that travels as a file.

    Attributes
    ----------
    suffix
        Tells the loader how to read it: ``.npy``, ``.npz``, ``.json``, ``.pkl``.
    write
        Writes the file at the path given.
    requires
        (package, version) that a pickle needs on the other side; empty for the plain formats.
    scalar
        The file holds an array without dimensions that stands for a NumPy scalar.
    part_of
        Name of the value whose file holds this one too, because they share objects; None if it has its own.
    """

    suffix: str
    write: Callable[[str], None]
    size_bytes: int
    requires: tuple[tuple[str, str], ...] = ()
    scalar: bool = False
    part_of: str | None = None


@dataclass(frozen=True)
class ValueSymbol:
    """A name that holds a value.

    Attributes
    ----------
    content
        A Python expression, or a file.
    summary
        The value in a few words: type, shape.
    depends
        Names of the notebook that must be there when the value is made.
    reads
        Names that functions in it read when they are called.
    modules
        Modules beside the notebook that its pickle imports.
    empty
        Of a container: the expression that makes an empty one.
    holds
        Identities of the mutable objects in it, to tell which values share one.
    """

    name: str
    content: str | StoredValue
    summary: str
    depends: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    empty: str | None = None
    holds: frozenset[int] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class RefusedSymbol:
    """A name whose value cannot travel."""

    name: str
    summary: str
    reason: str
    hint: str


Symbol = ImportSymbol | DefinitionSymbol | ValueSymbol | RefusedSymbol


class Namespace(Protocol):
    """The names a cell may use.

    Rules: `describe` answers for the moment it is called and may be asked again for the same name; `names` holds every
    name for which `describe` is not None, and may hold more; `together` is asked only for names that `describe` called
    values and that hold a mutable object in common, and answers for each of them.
    """

    def describe(self, name: str) -> Symbol | None:
        """Tell what the name is; None if the notebook has no such name."""

    def together(self, names: Sequence[str]) -> dict[str, ValueSymbol | RefusedSymbol]:
        """Describe values so that what they share in the notebook they share in the script."""

    def names(self) -> Iterable[str]:
        """List the names there are, for suggestions."""


def format_bytes(size: int) -> str:
    """A size as a person reads it: ``512 B``, ``12.3 kB``, ``4.0 MB``."""
    if size < 1000:
        return f"{size} B"
    amount = size / 1000
    for unit in ("kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
