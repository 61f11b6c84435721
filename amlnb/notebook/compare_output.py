"""``%compare``: runs side by side as outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlnb.api.comparison import compare
from amlnb.api.run_outputs import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.api.run import Run


def compare_outputs(runs: Sequence[Run]) -> list[Output]:
    """Make the outputs of :func:`amlnb.api.comparison.compare`, in the order in which they are shown.

    Raises
    ------
    UserErrorException
        There are fewer than two runs.
    """
    return [Output(data, metadata) for data, metadata in compare(*runs).bundles()]
