"""Programs in the four shapes that v1's documentation taught, from start to end in processes of their own.

They stand in ``programs/`` as a user would have written them; data that they would download are small files of the same
format, placed where they look.
"""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PROGRAMS = Path(__file__).with_name("programs")
IDS = {"subscription_id": "00000000-1111-2222-3333-444444444444", "resource_group": "group", "workspace_name": "space"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Puts a program into an empty folder with ``.azureml/config.json`` beside it; runs a file of it."""

    def place(name):
        shutil.copytree(PROGRAMS / name, tmp_path, dirs_exist_ok=True)
        (tmp_path / ".azureml").mkdir()
        (tmp_path / ".azureml" / "config.json").write_text(json.dumps(IDS))
        return tmp_path

    return place


def run(folder, script, **variables):
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def told(output):
    """What a program prints after a word in capitals."""
    return dict(line.split(" ", 1) for line in output.splitlines() if line.split(" ", 1)[0].isupper() and " " in line)


@pytest.mark.slow
def test_configure_and_submit(project):
    folder = project("configure")
    (folder / "source" / "amlignore").rename(folder / "source" / ".amlignore")
    subprocess.run(["git", "init", "--quiet", "."], cwd=folder, check=True)
    found = told(run(folder, "control.py").stdout)
    assert found["STATUS"] == "Completed Completed"
    assert found["METRICS"].startswith("600 [1.0, 0.5, 0.3333333333333333, 0.25] {'epochs': 4, 'rate': 0.5}")
    assert found["TAGS"] == "{'model': 'first', 'kind': 'demo'}"
    files = found["FILES"]
    assert "'outputs/my_output_file'" in files
    assert "'logs/progress.txt'" in files
    assert "elsewhere" not in files
    assert found["ARGUMENTS"] == "['--learning-rate', 0.5, '--epochs', 4, '--message', '$GREETING you']"
    assert found["CHILDREN"] == "[('evaluation', {'accuracy': 0.9})]"
    assert found["DOWNLOADED"] == "the output"
    assert found["MISSING"] == "True"
    assert found["SECOND"] == "Completed my-cluster"
    assert found["FAILED"] == "True"
    assert found["ERROR"].endswith(" True")
    assert found["INTERACTIVE"] == "Completed {'alpha': 0.03} True"
    assert found["MODEL"] == "demo 1 {'area': 'test'}"
    assert found["RUNS"] == "True 4"
    assert found["ARCHIVED"] == "[]"
    assert "azureml.git.dirty" in found["GIT"]
    kept = [path.read_bytes() for path in (folder / ".amlnb" / "objects").rglob("*") if path.is_file()]
    assert [content for content in kept if b'"train.py"' in content]
    assert not [content for content in kept if b"secret.csv" in content or b"not,to,be,taken" in content]


@pytest.mark.slow
def test_train_your_first_model(project):
    folder = project("first_model")
    (folder / "pytorch-env.yml").rename(folder / ".azureml" / "pytorch-env.yml")
    data = folder / "src" / "data" / "cifar-10-batches-py"
    data.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(1, 3):
        batch = {
            "data": generator.integers(0, 256, (4000, 3072), dtype=np.uint8),
            "labels": generator.integers(0, 10, 4000).tolist(),
        }
        (data / f"data_batch_{number}").write_bytes(pickle.dumps(batch))
    output = run(folder, "04-run-pytorch.py").stdout
    assert "Warning: the compute target 'cpu-cluster' was never made here" in output
    url = next(line for line in output.splitlines() if not line.startswith("Warning: "))
    assert url.startswith("http://127.0.0.1:")
    assert "Finished Training" in output
    assert "epoch=2, batch= 2000: loss" in output
    check = (
        "from azureml.core import *; run = next(Experiment(Workspace.from_config(), 'day1-experiment-train').get_runs()); "
        "print(run.get_status(), run.get_details()['target'], len(run.get_metrics()['loss']))"
    )
    (folder / "check.py").write_text(check)
    assert run(folder, "check.py").stdout == "Completed cpu-cluster 2\n"


@pytest.mark.slow
def test_chainer_on_mnist(project):
    folder = project("chainer_mnist")
    data = folder / "chainer-data" / "pfnet" / "chainer" / "mnist"
    data.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for name, count in (("train", 1000), ("test", 200)):
        labels = generator.integers(0, 10, count).astype(np.uint8)
        images = (generator.integers(0, 60, (count, 784)) + 150 * (np.arange(784) // 79 == labels[:, None])).astype(np.uint8)
        np.savez_compressed(data / f"{name}.npz", x=images, y=labels)
    done = run(folder, "control.py", CHAINER_DATASET_ROOT=str(folder / "chainer-data"))
    output = done.stdout
    assert "Azure region: local" in output
    assert "Creating a new compute target..." in output
    assert "chainer-dnn-mnist\tchainer-dnn-mnist:1\t1" in output
    assert "epoch:10 train_loss:" in output
    assert (folder / "model" / "model.npz").stat().st_size > 10_000
    assert "GPU" in output + done.stderr


@pytest.mark.slow
def test_transfer_learning_with_hymenoptera(project):
    folder = project("hymenoptera")
    generator = np.random.default_rng(0)
    for part, count in (("train", 6), ("val", 3)):
        for kind, tint in (("ants", 40), ("bees", 180)):
            place = folder / "hymenoptera_data" / part / kind
            place.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 40, (80, 80, 3)) + tint
                Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number}.jpg")
    weights = (
        "import os, torch, torchvision; os.makedirs('outputs', exist_ok=True); "
        "torch.save(torchvision.models.resnet18(weights=None).state_dict(), 'outputs/resnet18-f37072fd.pth')"
    )
    (folder / "weights").mkdir()
    (folder / "weights" / "make.py").write_text(weights)
    prepare = (
        "from azureml.core import *; env = Environment('e'); "
        "env.python.conda_dependencies.add_pip_package('torch'); env.python.conda_dependencies.add_pip_package('torchvision'); "
        "run = Experiment(Workspace.from_config(), 'weights').submit(ScriptRunConfig('weights', 'make.py', environment=env)); "
        "run.wait_for_completion(); run.download_file('outputs/resnet18-f37072fd.pth', 'torch-home/hub/checkpoints/resnet18-f37072fd.pth')"
    )
    (folder / "prepare.py").write_text(prepare)
    run(folder, "prepare.py")
    output = run(folder, "control.py", TORCH_HOME=str(folder / "torch-home")).stdout
    assert output.count("the exported model agrees") >= 2
    assert "pt-dnn\tpt-dnn:1\t1" in output
    assert "['model.onnx', 'model.pt']" in output
    assert output.rstrip().endswith("2")
