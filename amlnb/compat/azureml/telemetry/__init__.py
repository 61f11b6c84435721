"""``azureml.telemetry``: v1 collected usage unless it was told not to; amlnb collects nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: Any = None, reason: str = "") -> None:
    """Accept what v1 code says; nothing is ever collected or sent."""
