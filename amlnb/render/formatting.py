"""Numbers, times and names as a person reads them."""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING

from amlnb.render.axes import position

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amlnb.specs.run_view import Progress

# What the builders say of versions: changed, and unchanged.
_CHANGED, _UNCHANGED = "cannot be met", "the same on PyPI"
_BLOCKS = "▁▂▃▄▅▆▇█"
# What XML 1.0 cannot hold, and what would move the cursor or turn the writing direction of the text around it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def format_number(value: float) -> str:
    """Four significant digits: ``0.2134``, ``12.5``, ``1,797``, ``3.2e-07``, ``nan``."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if value == int(value) and size < 1e7:
        return f"{int(value):,}".replace("-", "−")
    if 1e-3 <= size < 1e6:
        digits = max(0, 3 - math.floor(math.log10(size)))
        return f"{value:,.{digits}f}".replace("-", "−")
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")


def format_duration(seconds: float, *, whole: bool = False) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 03 min``, ``4 d 01 h``; whole seconds only, if asked for."""
    if whole and seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    count = round(seconds)
    if count < 60:
        return f"{count} s"
    if count < 3600:
        return f"{count // 60} min {count % 60:02d} s"
    if count < 86400:
        return f"{count // 3600} h {count % 3600 // 60:02d} min"
    return f"{count // 86400} d {count % 86400 // 3600:02d} h"


def format_size(count: int) -> str:
    """Bytes as a person reads them: ``12 B``, ``3.4 kB``, ``1.2 GB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def format_clock(unix_time: float, *, date: bool = False) -> str:
    """Local time of this machine, ``05:21:12`` or ``2026-11-21 05:21:12``: always as wide."""
    return time.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S", time.localtime(unix_time))


def format_progress(progress: Progress) -> str:
    """``45/100 · 12 s left · epoch 3``."""
    if max(progress.done, progress.total) < 1e6:
        parts = [f"{format_number(progress.done)}/{format_number(progress.total)}"]
    else:
        parts = [f"{math.floor(progress.fraction * 100)} %"]
    if progress.left_s is not None and progress.done < progress.total:
        parts.append(f"{format_duration(progress.left_s, whole=True)} left")
    if progress.text:
        parts.append(one_line(progress.text, 40))
    return " · ".join(parts)


def one_line(text: str, limit: int) -> str:
    """Make any text fit on a line: no control characters, at most ``limit`` characters."""
    text = " ".join(_UNPRINTABLE.sub(" ", text[: limit * 8]).split())
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def in_order_of_weight(warnings: Iterable[str]) -> list[str]:
    """Warnings in the order in which they matter: other versions than were asked for first, what is the same last."""
    return sorted(warnings, key=lambda text: -1 if _CHANGED in text else _UNCHANGED in text)


def printable(text: str) -> str:
    """Replace what a document cannot hold; line breaks stay."""
    return "\n".join(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.split("\n"))


def sparkline(values: Sequence[float], width: int = 16, within: tuple[float, float] | None = None) -> str:
    """Draw a curve with block characters, at most ``width`` of them; gaps are spaces.

    Its lowest and highest point are the lowest and highest block, or those of the range ``within``.
    """
    values = list(values)
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, high = within or (min(finite), max(finite))
    if low == high:
        return "".join(_BLOCKS[0] if math.isfinite(value) else " " for value in values)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(position(v, low, high) * top)] if math.isfinite(v) else " " for v in values)
