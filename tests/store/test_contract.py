"""The store contract, over folders with plain and with odd names."""

import pytest

from amlnb.testing.store_contract import StoreContract


class TestTemporaryDirectory(StoreContract):
    pass


class TestOddlyNamedDirectory(StoreContract):
    @pytest.fixture
    def data(self, tmp_path):
        return str(tmp_path / "it's ünïcode\n%s $HOME;" / "-x" / ".amlnb")
