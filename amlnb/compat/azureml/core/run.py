"""``azureml.core.run``: v1's place of `Run`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.run import Run, get_run
    from amlnb.tracking.offline import OfflineRun as _OfflineRun

__all__ = [
    "Run",
    "_OfflineRun",
    "get_run",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "Run": "amlnb.api.run",
        "_OfflineRun": "amlnb.tracking.offline:OfflineRun",
        "get_run": "amlnb.api.run",
    },
)
