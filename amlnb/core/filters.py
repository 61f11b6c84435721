"""Choosing runs and models by their tags and properties, as v1's listings did."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Mapping, Optional, Tuple


def has(held: Mapping[str, Optional[str]], wanted: Any) -> bool:
    """Tell whether tags or properties are among those held.

    Parameters
    ----------
    held
        What there is.
    wanted
        A key; a dict of keys and values, where None stands for any value; or a list of keys and ``[key, value]`` pairs.
    """
    return all(key in held and (value is None or held[key] == str(value)) for key, value in _pairs(wanted))


def _pairs(wanted: Any) -> Iterator[Tuple[str, Any]]:
    if not wanted:
        return
    if isinstance(wanted, str):
        yield wanted, None
    elif hasattr(wanted, "items"):
        for key, value in wanted.items():
            yield str(key), value
    else:
        for each in wanted:
            if isinstance(each, str):
                yield each, None
            else:
                key, value = each
                yield str(key), value
