"""JSON that every parser reads: NaN and infinities stand as the words ``"NaN"``, ``"Infinity"``, ``"-Infinity"``."""

from __future__ import annotations

import json
import math
from typing import Any


def strict_json(value: Any, indent: int | None = None) -> str:
    """Write a value of dicts, lists, texts and numbers as JSON, in ASCII."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
