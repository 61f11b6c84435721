"""An attribute of any object, whatever its class does when it is asked for one that it does not have."""

from __future__ import annotations


def attribute(value: object, name: str, default: object = None) -> object:
    """`getattr` that never raises: the ``__getattr__`` of a dict with dots raises KeyError, a property anything."""
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001 - it is the notebook's code that runs here
        return default
