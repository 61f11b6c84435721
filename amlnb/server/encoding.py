"""Answers as JSON that every parser reads, fast: numbers that JSON does not have stand as text."""

from __future__ import annotations

import json
from typing import Any

from amlnb.render.strict_json import strict_json


def encoded(value: Any) -> bytes:
    """Write a value as JSON, in ASCII; looks at every number only where one of them is not finite."""
    try:
        return json.dumps(value, allow_nan=False).encode("ascii")
    except ValueError:
        return strict_json(value).encode("ascii")
