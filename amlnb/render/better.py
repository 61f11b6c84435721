"""Which way a metric is better, known by its name; and which of several values is the best."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOWER = re.compile(
    "loss|losses|nll|logloss|bce|error|errors|err|rmse|mse|mae|mape|rmsle|perplexity|ppl|wer|cer|fid|"
    "time|duration|latency|seconds|runtime"
)
_HIGHER = re.compile(
    "accuracy|acc|auc|auroc|auprc|f1|score|r2|reward|rewards|return|precision|recall|iou|dice|bleu|rouge|"
    "throughput|psnr|ssim"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")


def direction(name: str) -> int:
    """1 if higher is better, -1 if lower is, 0 if the name does not tell.

    The words of the name count, however they are joined: ``val_loss``, ``test/F1``, ``top5Accuracy``.
    """
    words = {word.lower() for word in _WORD.findall(name)}
    # top5, f1@10: a number behind a word that is known without it
    words |= {word.rstrip("0123456789") for word in words}
    lower, higher = (any(map(known.fullmatch, words)) for known in (_LOWER, _HIGHER))
    return int(higher) - int(lower)


def best(name: str, values: Sequence[float | None]) -> frozenset[int]:
    """Positions of the best values of a metric.

    None of them where the name does not tell which way is better, where fewer than two values can be compared, or
    where all are the same.
    """
    way = direction(name)
    known = {at: value for at, value in enumerate(values) if value is not None and math.isfinite(value)}
    if not way or len(known) < 2 or len(set(known.values())) == 1:
        return frozenset()
    top = max(known.values()) if way > 0 else min(known.values())
    return frozenset(at for at, value in known.items() if value == top)
