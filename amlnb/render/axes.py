"""Scales and ticks of a small chart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Scale:
    """A linear map from data to pixels; ``low`` falls on ``start``, ``high`` on ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + position(value, self.low, self.high) * (self.end - self.start)


def position(value: float, low: float, high: float) -> float:
    """Where a value stands in a range: 0 at its low end, 1 at its high end, 0.5 in a range without width.

    Right for the largest and the smallest floats, whose difference is infinite or nothing.
    """
    size = max(abs(low), abs(high))
    width = high / size - low / size if size else 0.0
    return (value / size - low / size) / width if width else 0.5


def padded(low: float, high: float, share: float) -> tuple[float, float]:
    """Widen a range so that a curve does not touch its frame; a single value gets a range of its own size."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, 1.0
    # Halves first: the difference of two huge numbers may be infinite.
    room = (high / 2 - low / 2) * 2 * share
    if not math.isfinite(room):
        return low, high
    if high - low <= abs(high) * 1e-12:
        room = abs(high) * 0.1 or 1.0
    return low - room, high + room


def ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """Round values within a range, about ``count`` of them; only whole numbers if asked for."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return []
    rough = span / max(count, 1)
    magnitude = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 0.0
    if magnitude == 0.0:
        return []
    step = next(factor for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999) * magnitude
    if whole:
        step = max(1.0, float(round(step)))
    first = math.ceil(low / step - 1e-9)
    found = [number * step for number in range(first, first + 2 * count + 3)]
    return [value for value in found if value <= high + step * 1e-9]


def tick_labels(values: list[float]) -> list[str]:
    """Write ticks with as many digits as tell them apart."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    if largest >= 1e5 or 0 < largest < 1e-3:
        return [_short(value) for value in values]
    step = min((abs(b - a) for a, b in pairwise(values)), default=largest) or 1.0
    digits = min(6, max(0, -math.floor(math.log10(step) + 1e-9)))
    if digits < 6 and abs(round(step, digits) - step) > step * 1e-6:
        digits += 1
    return [f"{0.0 if abs(value) < step * 1e-6 else value:.{digits}f}".replace("-", "−") for value in values]


def _short(value: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1e15:
            return f"{value / size:.4g}{unit}".replace("-", "−")
    return f"{value:.2g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")
