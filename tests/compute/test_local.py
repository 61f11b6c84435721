"""The back end of this machine keeps the contract."""

import pytest

from amlnb.testing.backend_contract import BackendContract


class TestLocal(BackendContract):
    @pytest.fixture
    def target(self, workspace):
        return "local"
