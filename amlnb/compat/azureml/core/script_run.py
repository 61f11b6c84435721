"""``azureml.core.script_run``: v1's place of `ScriptRun`, which is a `Run` here."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.run import Run as ScriptRun

__all__ = [
    "ScriptRun",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ScriptRun": "amlnb.api.run:Run",
    },
)
