"""Which way a metric is better, known by its name; and which of several values is the best."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from amlnb.core import states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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


def has_results(state: str) -> bool:
    """Whether what a run in this state has logged may be the best: a failed run's values are no results."""
    return state != states.FAILED


def best(name: str, values: Sequence[float | None] | NDArray[np.float64]) -> float | None:
    """The best of the values of a metric.

    None where the name does not tell which way is better, where fewer than two values can be compared, or where all
    are the same.
    """
    way = direction(name)
    if not way:
        return None
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < 2 or known.min() == known.max():
        return None
    return float(known.max() if way > 0 else known.min())
