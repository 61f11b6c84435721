import sys

import pytest

from amlnb.errors import UserErrorException
from amlnb.store import series


def test_without_pandas_a_series_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserErrorException) as error:
        series.to_pandas(None, "loss")
    assert "pip install pandas" in error.value.hint
