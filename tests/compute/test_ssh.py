"""The ssh back end keeps the contract against a real sshd, and says clearly why it cannot."""

import os
import sys
from dataclasses import replace

import nbformat
import pytest

from amlnb import Experiment, NotebookRunConfig, Workspace
from amlnb.api.run_futures import RESULTS_PROPERTY
from amlnb.core import layout
from amlnb.engine import targets
from amlnb.specs.run_spec import RunSpec
from amlnb.staged import captured_values
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


@pytest.fixture
def far_run(near_workspace, far_host, tmp_path):
    """Submit files to the far host; the run, ended."""
    targets.write(near_workspace.path, "far", far_host.definition(python=sys.executable))
    experiment = Experiment(Workspace._at(near_workspace.path), "ssh")

    def ran(spec):
        run = experiment.submit(replace(spec, target="far"))
        run.wait_for_completion(raise_on_error=False)
        assert run.get_status() == "Completed", run.get_details_with_logs()["logFiles"]
        return run

    return ran


def test_values_return_and_what_is_pickled_is_signed(far_run, tmp_path):
    (tmp_path / "cell.py").write_text(
        "import captured_values\nclass Model:\n    rate = 0.5\n"
        "captured_values.keep(model=Model(), losses=[1.0, 0.5])\n"
    )
    run = far_run(
        RunSpec(
            "ssh",
            str(tmp_path),
            script="cell.py",
            added={"captured_values.py": captured_values.__file__},
            properties={RESULTS_PROPERTY: "losses,model"},
        )
    )
    result = run.result()
    assert (result["losses"], result["model"].rate) == ([1.0, 0.5], 0.5)


def test_a_notebook_runs_there(far_run, tmp_path):
    parameters = nbformat.v4.new_code_cell("rate = 0.1", metadata={"tags": ["parameters"]})
    training = nbformat.v4.new_code_cell("import amlnb\namlnb.log(rate=rate)")
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, training]), tmp_path / "train.ipynb")
    run = far_run(NotebookRunConfig(str(tmp_path), "train.ipynb", parameters={"rate": 0.3}).to_spec("ssh"))
    assert run.get_metrics() == {"rate": 0.3}
    run.download_file("outputs/train.output.ipynb", str(tmp_path / "executed.ipynb"))
    nbformat.validate(nbformat.read(tmp_path / "executed.ipynb", 4))
