"""What a person with a notebook for v1 sees: the run under RunDetails, values that show themselves, an error."""

import json

import pytest

from amlnb.store.run_reader import RunReader

from .test_environment import picture
from .test_submit import until_sealed

pytestmark = pytest.mark.browser

PROJECT = """import os
folder = {folder!r}
os.makedirs(folder + "/.azureml")
os.makedirs(folder + "/src")
os.chdir(folder)
with open(".azureml/config.json", "w") as file:
    file.write({ids!r})
with open("src/train.py", "w") as file:
    file.write({script!r})
with open("src/fails.py", "w") as file:
    file.write("rates = dict(slow=1)\\nprint(rates['fast'])\\n")
"""
IDS = json.dumps({"subscription_id": "any", "resource_group": "any", "workspace_name": "space"})
SCRIPT = """import time
from azureml.core import Run
run = Run.get_context()
for epoch in range(40):
    run.log("loss", 1 / (epoch + 1))
    run.log("accuracy", 1 - 1 / (epoch + 2))
    print(f"epoch {epoch}", flush=True)
    time.sleep(0.05)
"""
SUBMIT = """from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.widgets import RunDetails
ws = Workspace.from_config()
config = ScriptRunConfig(source_directory="src", script="train.py", compute_target="cpu-cluster")
run = Experiment(ws, "first").submit(config)
RunDetails(run).show()"""
SHOW = "run"
MODEL = """run.wait_for_completion(show_output=True)
ws"""
FAILS = """failed = Experiment(ws, "first").submit(ScriptRunConfig("src", "fails.py"))
failed.wait_for_completion()"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_notebook_for_v1(open_notebook, tmp_path, theme):
    name = f"azureml-{theme.split()[-1].lower()}"
    project = PROJECT.format(folder=str(tmp_path / "project"), ids=IDS, script=SCRIPT)
    notebook = open_notebook(name, [project, SUBMIT, SHOW, MODEL, FAILS], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.wait_state(1, "Completed")
    (directory,) = (tmp_path / "project" / ".amlnb" / "runs").iterdir()
    until_sealed(RunReader(str(directory)))
    picture(notebook, name, "details")
    notebook.run_cell(2)
    notebook.run_cell(3)
    picture(notebook, name, "values")
    streamed = "".join(output.get("text", "") for output in notebook.outputs(3))
    assert "Streaming user_logs/std_log.txt" in streamed
    assert "epoch 39" in streamed
    notebook.run_cell(4)
    notebook.page.wait_for_timeout(300)
    picture(notebook, name, "error")
    (error,) = [output for output in notebook.outputs(4) if output["output_type"] == "error"]
    assert error["ename"] == "ActivityFailedException"
    told = "\n".join(error["traceback"])
    assert "KeyError: 'fast'" in told
    assert "ErrorResponse" not in told
