"""``azureml.contrib.notebook``: v1's place of notebook runs."""

from __future__ import annotations

from amlnb.lazy import exports
from azureml.not_served import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.notebook_run_config import AzureMLNotebookHandler, NotebookRunConfig

__all__ = [
    "AzureMLNotebookHandler",
    "NotebookRunConfig",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "AzureMLNotebookHandler": "amlnb.api.notebook_run_config",
        "NotebookRunConfig": "amlnb.api.notebook_run_config",
    },
    lookup(__name__),
)
