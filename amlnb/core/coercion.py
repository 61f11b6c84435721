"""What stands in a file, as the type that it must have; anything of another type counts as not there.

JSON that parses may still hold a list where a text belongs, or a time that no calendar has. That is sorted out once,
where a run's files are folded, so that nobody further up has to ask again.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

# Nanoseconds in 64 bits, as pandas counts them, end in 2262, far within what datetime and localtime hold.
_TIME_LIMIT_S = 9.2e9
_INTEGER_LIMIT = 2**63


def text(value: object) -> Optional[str]:
    """Return a text."""
    return value if isinstance(value, str) else None


def scalar_text(value: object) -> Optional[str]:
    """Return a text; numbers and bools as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else text(value)


def scalar_texts(value: object) -> Dict[str, str]:
    """Return those entries of an object that are texts or can be written as one."""
    found = {key: scalar_text(each) for key, each in mapping(value).items()}
    return {key: each for key, each in found.items() if each is not None}


def texts(value: object) -> List[str]:
    """Return the texts of a list."""
    return [each for each in items(value) if isinstance(each, str)]


def integer(value: object) -> Optional[int]:
    """Return an integer of at most 64 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INTEGER_LIMIT else None


def unix_time(value: object) -> Optional[float]:
    """Return Unix seconds, if a calendar has them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < _TIME_LIMIT_S else None  # NaN is not below anything


def mapping(value: object) -> Dict[str, Any]:
    """Return an object, empty if it is none."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> List[Any]:
    """Return a list, empty if it is none."""
    return value if isinstance(value, list) else []
