"""``azureml.core.keyvault``: v1's place of `Keyvault`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.keyvault import Keyvault, KeyVaultContentType

__all__ = [
    "KeyVaultContentType",
    "Keyvault",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "KeyVaultContentType": "amlnb.api.keyvault",
        "Keyvault": "amlnb.api.keyvault",
    },
)
