"""``azureml.core.script_run_config``: v1's place of `ScriptRunConfig`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.script_run_config import ScriptRunConfig

__all__ = [
    "ScriptRunConfig",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "ScriptRunConfig": "amlnb.api.script_run_config",
    },
)
