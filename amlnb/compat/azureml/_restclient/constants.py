"""``azureml._restclient.constants``: what may be set here is the limit of snapshots."""

from __future__ import annotations

from azureml._restclient import DEFAULT_LIMIT, hold_limit

SNAPSHOT_MAX_SIZE_BYTES = DEFAULT_LIMIT
hold_limit(__name__)
