"""v1's ways to sign in: accepted, and told once that there is nothing to sign in to. No secret is kept."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from amlnb.errors import NotServedException


class AbstractAuthentication:
    """A way to sign in.

    What was given to it, passwords and tokens among it, is forgotten at once.
    """

    def get_authentication_header(self) -> dict[str, str]:
        """Refused: there is nobody to authenticate to.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException(
            f"{type(self).__name__}.get_authentication_header() makes a token for Azure, and amlnb works without it",
            hint="call what is behind the address directly: amlnb asks for no token",
        )

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        """Refused, as `get_authentication_header`."""
        return self.get_authentication_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class InteractiveLoginAuthentication(AbstractAuthentication):
    """Signing in by a browser."""

    def __init__(
        self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None, _test_env: Any = None
    ) -> None:
        _tell()


class ServicePrincipalAuthentication(AbstractAuthentication):
    """Signing in as a service principal."""

    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        _tell()


class AzureCliAuthentication(AbstractAuthentication):
    """Signing in as the Azure CLI did."""

    def __init__(self, cloud: str | None = None) -> None:
        _tell()


class MsiAuthentication(AbstractAuthentication):
    """Signing in as a machine of Azure."""

    def __init__(self, identity_config: Any = None, cloud: str = "AzureCloud") -> None:
        _tell()


class TokenAuthentication(AbstractAuthentication):
    """Signing in by tokens that a function makes; it is never called."""

    def __init__(self, get_token_for_audience: Callable[[str], str], cloud: str = "AzureCloud") -> None:
        _tell()


class ArmTokenAuthentication(AbstractAuthentication):
    """Signing in by a token."""

    def __init__(self, arm_access_token: str, cloud: str = "AzureCloud", convert_to_adal: bool = False) -> None:
        _tell()

    def update_arm_access_token(self, new_arm_access_token: str) -> None:
        """Accepted, and forgotten."""


class AzureMLTokenAuthentication(AbstractAuthentication):
    """Signing in as a run of Azure ML."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _tell()


@functools.cache
def _tell() -> None:
    """Say once a process that nobody is signed in."""
    print("amlnb: there is no cloud and nothing to sign in to; what was given for it is not kept", file=sys.stderr)
