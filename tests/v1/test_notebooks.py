"""The tutorials in v1's words, executed by papermill from an empty folder."""

from pathlib import Path

import nbformat
import papermill
import pytest

pytestmark = [pytest.mark.notebook, pytest.mark.filterwarnings("ignore")]
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def execute(name, folder):
    """The text of all outputs of a notebook."""
    papermill.execute_notebook(str(NOTEBOOKS / name), str(folder / "out.ipynb"), cwd=str(folder), progress_bar=False)
    cells = nbformat.read(folder / "out.ipynb", 4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text", "") + str(output.get("data", {}).get("text/plain", "")) for output in outputs)


def test_a_first_model(tmp_path):
    text = execute("04-azureml-first-model.ipynb", tmp_path)
    for part in ("Streaming azureml-logs/20_image_build_log.txt", "Finished Training", "Python 3.6.2 was asked for"):
        assert part in text
    assert "24 values of the loss, accuracy 9" in text
    assert "digits-net 1 digits-net:1" in text


def test_chainer(tmp_path):
    text = execute("05-azureml-chainer.ipynb", tmp_path)
    for part in ("Creating a new compute target...", "Azure region: local", "NumPy 1.23.5: 9", "here: 9"):
        assert part in text
    assert "chainer-digits\tchainer-digits:1\t1" in text
    assert (tmp_path / "chainer-digits" / "model" / "model.npz").is_file()


def test_pytorch(tmp_path):
    text = execute("06-azureml-pytorch.ipynb", tmp_path)
    for part in ("onnxruntime gives the same scores", "pt-dnn\tpt-dnn:1\t1", "['model.onnx', 'model.pt']", "Completed 2"):
        assert part in text


def test_configure_and_submit(tmp_path):
    text = execute("07-configure-and-submit.ipynb", tmp_path)
    for part in (
        "Hello from this machine",
        "20 values; {'alpha': 0.001, 'accuracy': 0.9",
        "cpu-cluster {'alpha': 0.1",
        "KeyError: 'fast'",
        "about to fail",
        "Completed ['detail']",
    ):
        assert part in text
    assert "large.csv" not in text
