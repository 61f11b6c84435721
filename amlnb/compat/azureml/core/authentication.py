"""``azureml.core.authentication``: v1's ways to sign in."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.authentication import (
        AbstractAuthentication,
        ArmTokenAuthentication,
        AzureCliAuthentication,
        AzureMLTokenAuthentication,
        InteractiveLoginAuthentication,
        MsiAuthentication,
        ServicePrincipalAuthentication,
        TokenAuthentication,
    )

__all__ = [
    "AbstractAuthentication",
    "ArmTokenAuthentication",
    "AzureCliAuthentication",
    "AzureMLTokenAuthentication",
    "InteractiveLoginAuthentication",
    "MsiAuthentication",
    "ServicePrincipalAuthentication",
    "TokenAuthentication",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "AbstractAuthentication": "amlnb.api.authentication",
        "ArmTokenAuthentication": "amlnb.api.authentication",
        "AzureCliAuthentication": "amlnb.api.authentication",
        "AzureMLTokenAuthentication": "amlnb.api.authentication",
        "InteractiveLoginAuthentication": "amlnb.api.authentication",
        "MsiAuthentication": "amlnb.api.authentication",
        "ServicePrincipalAuthentication": "amlnb.api.authentication",
        "TokenAuthentication": "amlnb.api.authentication",
    },
)
