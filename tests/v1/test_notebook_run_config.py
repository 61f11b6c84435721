"""Whole notebooks as runs, as v1 code asks for them; what their runs do is held in tests/api/test_notebook_run.py."""

import ast
import inspect
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.notebook_run_config import AzureMLNotebookHandler, NotebookRunConfig
from amlnb.api.run_configuration import RunConfiguration
from amlnb.api.workspace import Workspace
from amlnb.errors import RunConfigurationException, UserErrorException

SCRAPBOOK = """
from IPython.display import display
def glue(name, data, encoder="json"):
    scrap = {"name": name, "data": data, "encoder": encoder, "version": 1}
    display({"application/scrapbook.scrap.json+json": scrap}, metadata={"scrapbook": {"name": name}}, raw=True)
"""


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Save cells as ``train.ipynb`` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def saved(*cells):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
        nbformat.write(made, tmp_path / "train.ipynb")

    return saved


def test_the_cell_of_the_notebooks(save):
    save("1")
    config = RunConfiguration()
    config.target = "cpu-cluster"
    handler = AzureMLNotebookHandler(timeout=600, progress_bar=False, log_output=True)
    made = NotebookRunConfig(
        source_directory=".", notebook="train.ipynb", parameters={}, handler=handler, run_config=config
    )
    spec = made.to_spec("e")
    assert (spec.target, spec.target_is_soft) == ("cpu-cluster", True)
    assert spec.arguments[1] == "outputs/train.output.ipynb"
    assert json.loads(spec.arguments[3]) == {"timeout": 600}
    made = NotebookRunConfig(".", "train.ipynb", "mine.ipynb", handler=AzureMLNotebookHandler(history=False))
    assert made.to_spec("e").arguments[1] == "outputs/mine.ipynb"
    assert json.loads(made.to_spec("e").arguments[3]) == {"history": False}


@pytest.mark.parametrize("option", ["history", "timeout", "progress_bar", "log_output", "kernel_name", "cwd"])
def test_options_that_v1_had_are_known(option):
    AzureMLNotebookHandler(**{option: None})


def test_what_is_none_is_refused(save):
    save("1")
    with pytest.raises(UserErrorException, match="Unsupported option: colour"):
        AzureMLNotebookHandler(colour=1)
    with pytest.raises(UserErrorException, match="handler is a str"):
        NotebookRunConfig(".", "train.ipynb", handler="papermill")
    with pytest.raises(RunConfigurationException, match="run_config is a dict"):
        NotebookRunConfig(".", "train.ipynb", run_config={"a": 1})
    with pytest.raises(UserErrorException, match="there is no notebook"):
        NotebookRunConfig(".", "other.ipynb")


def test_what_is_none_is_told_with_all_that_is(save):
    save("1")
    with pytest.raises(UserErrorException) as raised:
        AzureMLNotebookHandler(colour=1)
    assert raised.value.hint == "there are: cwd, history, kernel_name, log_output, progress_bar, timeout"
    with pytest.raises(UserErrorException, match=r"parameters is \['rate'\]"):
        NotebookRunConfig(".", "train.ipynb", parameters=["rate"])
    with pytest.raises(UserErrorException, match="notebook is 5, a int"):
        NotebookRunConfig(".", 5)
    assert NotebookRunConfig(Path(), Path("train.ipynb")).notebook == "train.ipynb"


def test_a_kernel_of_a_name_is_told_to_have_no_effect(save):
    save("1")
    handler = AzureMLNotebookHandler(kernel_name="python36")
    (told,) = NotebookRunConfig(".", "train.ipynb", handler=handler).to_spec("e").warnings
    assert told == "kernel_name='python36' has no effect: a notebook is executed by its run's own Python"


@pytest.mark.parametrize(
    ("tagged", "given", "told"),
    [
        (False, {"rate": np.float64(0.3)}, "'train.ipynb' has no cell tagged 'parameters': rate set before its first cell"),
        (True, {"rate": 0.3}, None),
        (True, {"rate": 0.3, "x": 1}, "'train.ipynb' has no parameter 'x': set after its parameters"),
        (True, {"rte": 0.3}, "'train.ipynb' has no parameter 'rte': set after its parameters; did you mean 'rate' by 'rte'?"),
    ],
)
def test_parameters_that_the_notebook_does_not_have_are_set_and_told(save, tmp_path, tagged, given, told):
    save("rate = 0.1")
    if tagged:
        made = nbformat.read("train.ipynb", 4)
        made.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(made, "train.ipynb")
    spec = NotebookRunConfig(".", "train.ipynb", parameters=given).to_spec("e")
    assert ast.literal_eval(spec.arguments[2]) == given
    assert [text.startswith(told or "") for text in spec.warnings] == [True] * (told is not None)
    assert spec.properties[f"param.{next(iter(given))}"] == "0.3"
    with pytest.raises(UserErrorException, match="cannot be"):
        NotebookRunConfig(".", "train.ipynb", parameters={"x": object()})


@pytest.mark.notebook
def test_a_parameter_without_a_tagged_cell_reaches_the_notebook(save, tmp_path):
    save("print('rate is', rate)")
    experiment = Experiment(Workspace.find_or_create(str(tmp_path))[0], "e")
    run = experiment.submit(NotebookRunConfig(".", "train.ipynb", parameters={"rate": 0.3}))
    run.wait_for_completion()
    with open(f"{run.directory}/user_logs/std_log.txt") as file:
        assert "rate is 0.3" in file.read()


@pytest.mark.notebook
@pytest.mark.parametrize("history", [True, False])
def test_what_a_notebook_glues_is_a_metric(save, tmp_path, history):
    save(
        SCRAPBOOK,
        "glue('accuracy', 0.9); glue('losses', [3, 2, 1]); glue('kind', 'sgd', 'text')",
        "glue('table', {'a': 1}, 'pandas'); glue('nested', [[1]]); glue('accuracy', 0.95)",
    )
    experiment = Experiment(Workspace.find_or_create(str(tmp_path))[0], "e")
    config = NotebookRunConfig(".", "train.ipynb", handler=AzureMLNotebookHandler(history=history))
    run = experiment.submit(config)
    run.wait_for_completion()
    expected = {"accuracy": [0.9, 0.95], "losses": [3, 2, 1], "kind": "sgd"}
    assert run.get_metrics() == (expected if history else {})
    with open(f"{run.directory}/user_logs/std_log.txt") as file:
        assert ("the scrap 'nested' is no metric" in file.read()) == history


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (NotebookRunConfig, "source_directory notebook output_notebook parameters handler run_config _telemetry_values"),
        (AzureMLNotebookHandler, "history timeout kwargs"),
    ],
)
def test_signatures_are_v1s(call, names):
    assert list(inspect.signature(call).parameters) == names.split()
