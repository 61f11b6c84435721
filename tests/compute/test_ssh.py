"""The ssh back end keeps the contract against a real sshd, and says clearly why it cannot."""

import os

import pytest

from amlnb.core import layout
from amlnb.engine import targets
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.backend_contract import BackendContract

pytestmark = pytest.mark.ssh


@pytest.fixture
def near_workspace(near_folder, tmp_path):
    return open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh"))


class TestSsh(BackendContract):
    @pytest.fixture
    def workspace(self, near_workspace):
        return near_workspace

    @pytest.fixture
    def target(self, workspace, far_host):
        self.far_host = far_host
        targets.write(workspace.path, "far", far_host.definition())
        return "far"

    def home(self, reader):
        return os.path.join(self.far_host.root, layout.RUNS, os.path.basename(reader.directory))

    def test_the_far_end_is_another_machine(self, run):
        if not self.far_host.is_apart:
            pytest.skip("only root can give the far end a host name of its own")
        import socket

        from amlnb.testing.backend_contract import ended, log_of

        reader = ended(run("import os, socket\nprint(socket.gethostname(), os.getcwd())\n"))
        assert log_of(reader) == f"far-host {self.home(reader)}/work\n"
        assert socket.gethostname() != "far-host"
        assert reader.runner()["hostname"] == "far-host"
