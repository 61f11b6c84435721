"""What a workspace of v1 had that needs a cloud, or is not served yet: each says so where it is used."""

from __future__ import annotations

from typing import Any, NoReturn

from amlnb.api.compute_target import tell_without_effect
from amlnb.api.workspace_dicts import NotServedDict
from amlnb.errors import NotServedException
from amlnb.placeholders import LATER, NEVER

_FILES_HINT = "read the files by their path: runs on this machine see the same files as the notebook"
_SERVE_HINT = "fetch a model with Model(ws, name).download() and serve it with a web framework such as FastAPI"


class WithoutCloud:
    """The part of a `Workspace` that is not served."""

    @property
    def webservices(self) -> NotServedDict:
        """Empty: amlnb deploys nothing."""
        return NotServedDict("Workspace.webservices", NEVER, _SERVE_HINT)

    @property
    def images(self) -> NotServedDict:
        """Empty: amlnb deploys nothing."""
        return NotServedDict("Workspace.images", NEVER, _SERVE_HINT)

    @property
    def datastores(self) -> NotServedDict:
        """Empty: datastores are not served yet."""
        return NotServedDict("Workspace.datastores", LATER, _FILES_HINT)

    @property
    def datasets(self) -> NotServedDict:
        """Empty: datasets are not served yet."""
        return NotServedDict("Workspace.datasets", LATER, _FILES_HINT)

    @property
    def private_endpoints(self) -> dict[str, Any]:
        """Empty: there is no network of a cloud."""
        return {}

    def sync_keys(self, no_wait: bool = False) -> None:
        """Without effect, which is told: there are no keys of a cloud."""
        tell_without_effect(sync_keys=True)

    def get_default_datastore(self) -> NoReturn:
        """Refused: datastores are not served yet.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException(
            f"Workspace.get_default_datastore() {LATER}",
            hint="read the files by their path: runs on this machine see the same files as the notebook",
        )

    def set_default_datastore(self, name: str) -> NoReturn:
        """Refused, as `get_default_datastore`."""
        raise NotServedException(
            f"Workspace.set_default_datastore({name!r}) {LATER}",
            hint="read the files by their path: runs on this machine see the same files as the notebook",
        )

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> NoReturn:
        """Refused: MLflow is not served yet.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException(f"Workspace.get_mlflow_tracking_uri() {LATER}", hint="log with run.log(...)")
