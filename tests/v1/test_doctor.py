"""``amlnb doctor --azureml``: what a project uses of v1, told without running any of it."""

import json
import subprocess
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.api import v1_names, v1_usage
from amlnb.cli.app import main
from amlnb.errors import NotServedException, UserErrorException


def found_in(tmp_path, code):
    path = tmp_path / "control.py"
    path.write_text(code)
    return {found.name: found for found in v1_usage.examine(str(path)).found}


CASES = {
    "import": ("import azureml.core", {"azureml.core": "served"}),
    "import as": ("import azureml.core as a\na.Workspace.from_config()", {"Workspace.from_config": "served"}),
    "version": ("import azureml.core\nprint(azureml.core.VERSION)", {"azureml.core.VERSION": "served"}),
    "from": ("from azureml.core import Workspace as W\nws = W.from_config()\nws.name", {"Workspace.name": "served"}),
    "module": ("from azureml.core import compute_target", {"azureml.core.compute_target": "served"}),
    "chain": (
        "from azureml.core import Environment\nEnvironment('a').python.conda_dependencies.add_pip_package('x')",
        {"CondaDependencies.add_pip_package": "served"},
    ),
    "for": (
        "from azureml.core import Experiment, Workspace\nfor run in Experiment(Workspace.from_config(), 'e').get_runs():\n    run.get_metrics()",
        {"Run.get_metrics": "served"},
    ),
    "with": (
        "from azureml.core import Experiment\nwith Experiment(None, 'e').start_logging() as run:\n    run.log('a', 1)",
        {"Run.log": "served"},
    ),
    "in a function": ("def f():\n    from azureml.core import Run\n    Run.get_context().log('a', 1)", {"Run.log": "served"}),
    "typo": ("from azureml.core import Workspace\nWorkspace.from_config().nam", {"Workspace.nam": "unknown"}),
    "keyword": (
        "from azureml.core import ScriptRunConfig\nScriptRunConfig('.', enviroment=1)",
        {"ScriptRunConfig(enviroment=)": "partly"},
    ),
    "later": (
        "from azureml.core import Dataset\nDataset.get_by_name(1, 'x')",
        {"azureml.core.Dataset": "not served", "Dataset.get_by_name": "not served"},
    ),
    "never": ("from azureml.train.automl import AutoMLConfig", {"azureml.train.automl.AutoMLConfig": "not served"}),
    "star": ("from azureml.train.hyperdrive import *", {"azureml.train.hyperdrive.*": "not served"}),
    "no module": ("from azureml.nope import x", {"azureml.nope.x": "unknown"}),
    "another's": ("from sklearn import Workspace\nWorkspace.x", {}),
    "self": (
        "class T:\n    def __init__(self):\n        from azureml.core import Workspace\n        self.ws = Workspace.from_config()\n    def f(self):\n        self.ws.nam",
        {"Workspace.nam": "unknown"},
    ),
    "annotated": ("from azureml.core import Run\ndef go(run: Run):\n    run.logg", {"Run.logg": "unknown"}),
    "tuple": ("from azureml.core import Run\na, b = 1, Run.get_context()\nb.logg", {"Run.logg": "unknown"}),
    "walrus": ("from azureml.core import Run\n(run := Run.get_context()).log('a', 1)\nrun.logg", {"Run.logg": "unknown"}),
    "comprehension": (
        "from azureml.core import Experiment\ne = Experiment(None, 'e')\n[r.idd for r in e.get_runs()]",
        {"Run.idd": "unknown"},
    ),
    "list of children": (
        "from azureml.core import Run\nfor r in sorted(Run.get_context().create_children(3)):\n    r.idd",
        {"Run.idd": "unknown"},
    ),
    "everything": ("from azureml.core import *\nWorkspace.from_config().nam", {"Workspace.nam": "unknown"}),
    "datasets": (
        "from azureml.core import Run\nRun.get_context().input_datasets['x']",
        {"Run.input_datasets": "partly"},
    ),
    "a parameter that is not served": (
        "from azureml.train.dnn import PyTorch\nPyTorch('s', inputs=[1])",
        {"PyTorch(inputs=)": "not served"},
    ),
    "assigned anew": ("from azureml.core import Run\nrun = Run.get_context()\nrun = 3\nrun.foo", {}),
}


IN_BETWEEN = "from azureml.core import Run, Experiment\nrun = Run.get_context()\n"
OTHERS = {
    "parameter": "def go(run):\n    run.foo",
    "loop": "for name, run in []:\n    run.foo",
    "except": "try:\n    pass\nexcept ValueError as run:\n    run.foo",
    "lambda": "f = lambda run: run.foo",
    "import": "from other import run\nrun.foo",
    "class": "class Experiment:\n    pass\nExperiment.foo",
    "list": "kids = run.create_children(3)\nkids.foo(1)",
    "comprehension": "[run.foo for run in []]",
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_a_name_means_elsewhere_is_not_taken_for_v1s(tmp_path, case):
    assert not [name for name in found_in(tmp_path, IN_BETWEEN + OTHERS[case]) if "foo" in name]


@pytest.mark.parametrize("case", CASES)
def test_names_are_found_with_their_status(tmp_path, case):
    code, told = CASES[case]
    found = found_in(tmp_path, code)
    assert told.items() <= {name: each.status.word for name, each in found.items()}.items()
    if not told:
        assert not [name for name in found if name.endswith(("foo", ".x"))]


def test_what_is_not_served_comes_first_and_says_what_to_do(tmp_path):
    code = "from azureml.core import Workspace\nfrom azureml.train.automl import AutoMLConfig\nWorkspace.nam"
    (tmp_path / "a.py").write_text(code)
    report = v1_usage.examine(str(tmp_path))
    assert [found.status.word for found in report.found] == ["not served", "unknown", "served"]
    assert "FLAML" in report.found[0].status.note
    assert report.found[1].status.note == "Workspace has no nam; did you mean name?"


def test_a_notebook_is_read_cell_by_cell_with_its_magics(tmp_path):
    cells = [
        "%matplotlib inline\nfrom azureml.core import Workspace\nfiles = !ls\nws = Workspace.from_config()",
        "%%time\nws.name",
        "%%bash\nfrom azureml.core import Nothing",
        "ws?",
        "%%writefile $folder/train.py\nfrom azureml.core import Run\nRun.get_context()",
        "%%writefile notes.txt\nfrom azureml.core import Nothing",
        "print('a %s b'\n      % 3)\nprint(\"\"\"What is it?\nIt is.\"\"\")\n!az ml x \\\n   --name y\nws.location",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbformat.write(notebook, tmp_path / "n.ipynb")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "n.py").write_text("import azureml.nope")
    report = v1_usage.examine(str(tmp_path))
    places = {found.name: found.places for found in report.found}
    assert places["Workspace.from_config"] == ((f"{tmp_path / 'n.ipynb'}, cell 1", 4),)
    assert places["Workspace.name"] == ((f"{tmp_path / 'n.ipynb'}, cell 2", 2),)
    assert places["Run.get_context"] == ((f"{tmp_path / 'n.ipynb'}, cell 5", 3),)
    assert "Workspace.location" in places
    assert not [name for name in places if "Nothing" in name or "nope" in name]
    assert (report.files, report.unread) == (1, ())


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path):
    (tmp_path / "a.py").write_text("import azureml.core")
    (tmp_path / "b.py").write_text("def f(:")
    (tmp_path / "c.ipynb").write_text("{}")
    (tmp_path / "d.py").write_bytes(b"\xff\xfe")
    (tmp_path / "e.ipynb").write_text("not json")
    report = v1_usage.examine(str(tmp_path))
    assert [found.name for found in report.found] == ["azureml.core"]
    assert [place.rpartition("/")[2] for place, _ in report.unread] == ["b.py", "c.ipynb", "d.py", "e.ipynb"]


@pytest.mark.parametrize("path", ["nothing-there", "."])
def test_a_path_without_python_is_refused(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserErrorException):
        v1_usage.examine(path)


def test_the_command_tells_a_table_and_exits_by_what_is_lacking(tmp_path, capsys):
    path = tmp_path / "a.py"
    path.write_text("from azureml.core import Workspace, Dataset\n")
    assert main(["doctor", "--azureml", str(path)]) == 1
    told = capsys.readouterr()
    assert "not served  azureml.core.Dataset    a.py:1" in told.out
    assert "2 names of azureml in 1 file: 1 served, 1 not served" in told.out
    assert "hint: azureml.core.Dataset: read the files by their path" in told.err
    path.write_text("from azureml.core import Workspace\n")
    assert main(["doctor", "--azureml", str(tmp_path)]) == 0
    path.write_text("print 3\n")
    assert main(["doctor", "--azureml", str(tmp_path)]) == 1
    assert "cannot be read: is no Python" in capsys.readouterr().err
    path.write_text("import os\n")
    capsys.readouterr()
    assert main(["doctor", "--azureml", str(path)]) == 0
    assert "nothing of the azureml names is used in the 1 file" in capsys.readouterr().out


def test_the_command_tells_json(tmp_path, capsys):
    path = tmp_path / "a.py"
    path.write_text("from azureml.core import Workspace\nWorkspace.from_config()\n")
    assert main(["doctor", "--azureml", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {"name": "Workspace.from_config", "status": "served", "note": "", "places": [{"file": str(path), "line": 2}]} in told["names"]


PIECES = st.sampled_from(
    ["from azureml.core import *", "import azureml", "Run", ".", "(", ")", "=", "\n", "run", "x=1", "azureml.core", "%time", "!ls", "?", " ", "def f():", "é", "\0"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_text_makes_it_fail(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "any.py").write_text(text, encoding="utf-8")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)])
    nbformat.write(notebook, folder / "any.ipynb")
    v1_usage.examine(str(folder))


def test_no_other_azureml_is_executed(tmp_path):
    (tmp_path / "azureml").mkdir()
    (tmp_path / "azureml" / "__init__.py").write_text("raise SystemExit('executed')")
    command = [sys.executable, "-m", "amlnb", "doctor", "--azureml", "."]
    (tmp_path / "a.py").write_text("from azureml.core import Workspace")
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "executed" not in told.stderr
    assert "served  azureml.core.Workspace" in told.stdout


def test_a_script_of_another_encoding_is_read(tmp_path):
    (tmp_path / "a.py").write_bytes("# -*- coding: latin-1 -*-\n# \xe9\nimport azureml.core\n".encode("latin-1"))
    assert [found.name for found in v1_usage.examine(str(tmp_path)).found] == ["azureml.core"]


def test_what_only_refuses_is_not_served_and_its_hint_is_the_note():
    class Owner:
        def refuses(self):
            """Refuse."""
            raise NotServedException("it is not served", hint="do without")

        def works(self):
            return 1

    assert v1_names._refusal(Owner.__dict__["works"]) is None
    assert v1_names._refusal(Owner.__dict__["refuses"]) == "do without"
