"""``azureml.widgets``: v1's live view of a run."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.notebook.run_details import RunDetails

__all__ = [
    "RunDetails",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "RunDetails": "amlnb.notebook.run_details",
    },
)
