"""Real libraries from the registry: Chainer beside NumPy 2, torch with torchvision of a v1 file, old pins, many Pythons."""

import os
import pathlib

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import amlnb
from amlnb.api.workspace import Workspace
from amlnb.environments import interpreters
from amlnb.notebook.magic import load_ipython_extension

pytestmark = pytest.mark.slow

CHAINER = """
import chainer, numpy as np
import chainer.functions as F, chainer.links as L
from chainer import optimizers

model = L.Linear(features.shape[1], 2)
optimizer = optimizers.SGD(lr=rate).setup(model)
curve = []
for step in range(60):
    loss = F.softmax_cross_entropy(model(features), labels)
    model.cleargrads()
    loss.backward()
    optimizer.update()
    curve.append(float(loss.array))
weights = model.W.array
versions = (np.__version__, chainer.__version__)
"""
SCRIPT = """
import chainer, numpy
from amlnb import Run
run = Run.get_context()
run.log("numpy", numpy.__version__)
run.log("chainer", chainer.__version__)
"""
V1_FILE = """
channels:
- defaults
- pytorch
dependencies:
- python=3.6.2
- pytorch
- torchvision
- pip:
  - azureml-sdk
"""
TORCH = """
import torch, torchvision
from azureml.core import Run
scores = torchvision.models.resnet18()(torch.zeros(1, 3, 64, 64))
kept = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([1.0]), 0.5)
Run.get_context().log("shape", scores.shape[1])
Run.get_context().log("kept", len(kept))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell():
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    load_ipython_extension(shell)
    yield shell
    InteractiveShell.clear_instance()


def test_chainer_from_a_kernel_that_has_numpy_2_and_values_cross_both_ways(folder, shell):
    assert np.__version__.startswith("2.")
    generator = np.random.default_rng(0)
    features = generator.normal(size=(200, 4)).astype("float32")
    shell.user_ns.update(features=features, labels=(features.sum(axis=1) > 0).astype("int32"), rate=0.5)
    done = shell.run_cell(f"%%submit --env chainer==7.8.1 --out curve,weights,versions\n{CHAINER}")
    done.raise_error()
    result = done.result.result()
    assert result["versions"] == ("1.23.5", "7.8.1")
    assert result["curve"][-1] < 0.5 * result["curve"][0]
    assert isinstance(result["weights"], np.ndarray)
    assert result["weights"].shape == (2, 4)


def test_chainer_by_an_environment(folder):
    (folder / "source").mkdir()
    (folder / "source" / "train.py").write_text(SCRIPT)
    environment = amlnb.Environment("chainer")
    environment.python.conda_dependencies = amlnb.CondaDependencies.create(
        pip_packages=["chainer==7.8.1", "numpy<1.24"]
    )
    config = amlnb.ScriptRunConfig("source", "train.py", environment=environment)
    run = amlnb.Experiment(Workspace.find_or_create()[0], "chainer").submit(config)
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.get_metrics() == {"numpy": "1.23.5", "chainer": "7.8.1"}


def test_the_typical_v1_file_with_torch_and_torchvision(folder):
    (folder / "source").mkdir()
    (folder / "source" / "train.py").write_text(TORCH)
    (folder / "pytorch-env.yml").write_text(V1_FILE)
    environment = amlnb.Environment.from_conda_specification("pytorch", "pytorch-env.yml")
    config = amlnb.ScriptRunConfig("source", "train.py", environment=environment)
    run = amlnb.Experiment(Workspace.find_or_create()[0], "torch").submit(config)
    details = run.wait_for_completion()
    assert run.get_metrics() == {"shape": 1000, "kept": 1}
    (told,) = (each["message"] for each in details["warnings"])
    assert "Python 3.6.2 was asked for" in told
    log = pathlib.Path(run.directory, "azureml-logs", "20_image_build_log.txt").read_text()
    assert "pytorch is torch" in log
    assert "azureml-sdk is served by amlnb" in log


def test_a_pin_of_v1s_days_becomes_the_nearest_that_works(folder):
    (folder / "train.py").write_text(
        "from sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression\n"
        "data, target = load_iris(return_X_y=True)\nprint(LogisticRegression(max_iter=500).fit(data, target).score(data, target))"
    )
    environment = amlnb.Environment("old")
    environment.python.conda_dependencies = amlnb.CondaDependencies.create(conda_packages=["scikit-learn==0.22.1"])
    run = amlnb.Experiment(Workspace.find_or_create()[0], "old").submit(
        amlnb.ScriptRunConfig(".", "train.py", environment=environment)
    )
    details = run.wait_for_completion()
    assert any("scikit-learn==0.22.1 cannot be met" in each["message"] for each in details["warnings"])
    environment.strict = True
    run = amlnb.Experiment(Workspace.find_or_create()[0], "old").submit(
        amlnb.ScriptRunConfig(".", "train.py", environment=environment)
    )
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"


@pytest.mark.parametrize("minor", ["3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_numpy_under_every_python_that_is_here(folder, minor):
    if minor not in {interpreters.own().minor, *(each.minor for each in interpreters.find_all(os.environ))}:
        pytest.skip(f"this machine has no Python {minor}")
    (folder / "train.py").write_text(
        "import sys, numpy\nfrom azureml.core import Run\n"
        "Run.get_context().log('python', '.'.join(map(str, sys.version_info[:2])))\n"
        "Run.get_context().log('sum', float(numpy.arange(3).sum()))"
    )
    from amlnb.cli.app import main

    assert main(["submit", "--wait", "--env", f"python={minor},numpy", "train.py"]) == 0
    run = next(iter(amlnb.Experiment(Workspace.from_config(), folder.name).get_runs()))
    assert run.get_metrics() == {"python": minor, "sum": 3.0}
