"""Names of Azure ML's SDK v1 that amlnb does not serve: they can be imported and handed around; a call says so."""

from __future__ import annotations

from amlnb.errors import AmlnbError, NotServedException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

LATER = "is not served by amlnb yet"
NEVER = "needs Azure, and amlnb works without it"


class Placeholder(type):
    """Class of the classes that stand for what is not served: all that is asked of them is a placeholder again.

    So ``Dataset.Tabular.from_delimited_files`` can be named, ``isinstance`` works, and the first call raises
    NotServedException with what to do instead.
    """

    _told: str
    _hint: str

    def __getattr__(cls, name: str) -> Placeholder:
        if name in ("_told", "_hint") or name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(f"{cls.__qualname__!r} has no attribute {name!r}")
        return placeholder(f"{cls.__qualname__}.{name}", cls.__module__, cls._told, cls._hint)

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        """Say that it is not served."""
        raise NotServedException(f"{cls.__qualname__} of {cls.__module__} {cls._told}", hint=cls._hint)

    def __repr__(cls) -> str:
        return f"<{cls.__module__}.{cls.__qualname__}: {cls._told}>"


def stand_in(name: str, module: str, told: str, hint: str) -> Any:
    """Make what stands for a name: a placeholder; of an error a class of that name, so that ``except`` works.

    Parameters are those of `placeholder`.
    """
    if name.endswith(("Error", "Exception")):
        return type(name, (AmlnbError,), {"__module__": module, "__doc__": f"{name} of {module}: never raised."})
    return placeholder(name, module, told, hint)


def placeholder(name: str, module: str, told: str, hint: str) -> Placeholder:
    """Make a placeholder.

    Parameters
    ----------
    name, module
        What it stands for, such as ``Dataset`` of ``azureml.core``.
    told
        Why it cannot be called, such as `LATER` or `NEVER`.
    hint
        The closest thing that does work.
    """
    made = Placeholder(name.rpartition(".")[2], (), {"__module__": module, "_told": told, "_hint": hint})
    made.__qualname__ = name
    return made
