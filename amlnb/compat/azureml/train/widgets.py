"""``azureml.train.widgets``: where the oldest code finds `RunDetails`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.notebook.run_details import RunDetails

__all__ = [
    "RunDetails",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "RunDetails": "amlnb.notebook.run_details",
    },
)
