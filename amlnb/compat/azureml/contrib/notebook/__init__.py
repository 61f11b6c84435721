"""``azureml.contrib.notebook``: v1's place of notebook runs."""

from __future__ import annotations

from azureml.not_served import names, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.notebook_run_config import AzureMLNotebookHandler, NotebookRunConfig

__all__ = [
    "AzureMLNotebookHandler",
    "NotebookRunConfig",
]
__all__ += names(__name__)  # noqa: PLE0605 - what stands for those that are not served

__getattr__, __dir__ = places(
    __name__,
    {
        "AzureMLNotebookHandler": "amlnb.api.notebook_run_config",
        "NotebookRunConfig": "amlnb.api.notebook_run_config",
    },
)
