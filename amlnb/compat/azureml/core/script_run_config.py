"""``azureml.core.script_run_config``: v1's place of `ScriptRunConfig`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.script_run_config import ScriptRunConfig

__all__ = [
    "ScriptRunConfig",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ScriptRunConfig": "amlnb.api.script_run_config",
    },
)
