"""Whole notebooks as runs, as v1 code asks for them; what their runs do is held in tests/api/test_notebook_run.py."""

import inspect
import json

import nbformat
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
