"""``azureml.core.keyvault``: v1's place of `Keyvault`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.keyvault import Keyvault

__all__ = [
    "Keyvault",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "Keyvault": "amlnb.api.keyvault",
    },
)
