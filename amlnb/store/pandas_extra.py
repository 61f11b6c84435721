"""pandas, an extra: 80 MB that only who asks for tables needs, and that most of them have."""

from __future__ import annotations

import importlib.util

from amlnb.errors import UserErrorException


def need_pandas(what: str) -> None:
    """Say what is missing where pandas is not installed.

    Parameters
    ----------
    what
        What would be made with it.

    Raises
    ------
    UserErrorException
        It is not installed.
    """
    if importlib.util.find_spec("pandas") is None:
        raise UserErrorException(f"{what} needs pandas, which is not installed", hint="pip install pandas")
