"""The run side under every Python that a job may have: 3.7 at the oldest, with nothing installed."""

import glob
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from amlnb.core import layout
from amlnb.engine import run_side
from tests.test_floors import MODULES, ROOT, RUN_SIDE_IDS

PROGRAMS = Path(__file__).parent / "programs"
ASKED = [(3, minor) for minor in range(7, 14)]
RUN_ID = "run_side_1"


def _interpreters():
    """One interpreter a version: those of pyenv, those on PATH."""
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    candidates = sorted(glob.glob(os.path.join(glob.escape(root), "versions", "*", "bin", "python")))
    candidates += filter(None, (shutil.which(f"python{major}.{minor}") for major, minor in ASKED))
    found = {}
    for path in candidates:
        # A shim may stand on PATH for a version that is not there.
        asked = subprocess.run(
            [path, "-c", "import sys; print('%d %d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        version = tuple(map(int, asked.stdout.split())) if asked.returncode == 0 else None
        if version in ASKED:
            found.setdefault(version, path)
    return found


INTERPRETERS = _interpreters()


@pytest.fixture(params=[pytest.param(version, id="python{}.{}".format(*version)) for version in ASKED])
def python(request):
    if request.param not in INTERPRETERS:
        pytest.skip("there is no Python {}.{} here".format(*request.param))
    return INTERPRETERS[request.param]


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The folder that a job finds the run side in."""
    return Path(run_side.stage(str(tmp_path_factory.mktemp("cache"))))


def _run(python, program, *arguments, cwd=None, **environment):
    """Run a program as a job would, with every warning an error; return what it printed."""
    done = subprocess.run(
        [python, "-B", "-W", "error", PROGRAMS / program, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **{name: str(value) for name, value in environment.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_ci_has_at_least_three_pythons():
    if len(INTERPRETERS) < 3:
        told = "found only {}".format(", ".join("{}.{}".format(*version) for version in sorted(INTERPRETERS)))
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(told)
        pytest.skip(told)


def test_job_finds_the_run_side_and_nothing_else_of_ours(staged):
    named = {
        MODULES[name].path.relative_to(ROOT / "amlnb" / "compat" if name.startswith("azureml") else ROOT)
        for name in RUN_SIDE_IDS
    }
    assert {path.relative_to(staged) for path in staged.rglob("*.py")} == named


def test_every_module_of_the_run_side_imports(python, staged):
    names = [name for name in RUN_SIDE_IDS if not name.endswith("__main__")]
    assert _run(python, "import_everything.py", *names, PYTHONPATH=staged) == ""


def test_what_a_script_logs_is_read_back(python, staged, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "id": RUN_ID, "experiment": "old pythons"}))
    for folder in ("journals", "edits", "attempts"):
        (tmp_path / folder).mkdir()
    context = {"AMLNB_RUN_ID": RUN_ID, "AMLNB_RUN_DIR": tmp_path, "AMLNB_EXPERIMENT": "old pythons"}
    assert _run(python, "log_everything.py", PYTHONPATH=staged, **context) == ""

    metrics = _documented_reader()(tmp_path)
    values = {name: [value for _, _, value in points] for name, points in metrics.items()}
    assert [(step, value) for step, _, value in metrics["loss"]] == [(step, 1 / (step + 1)) for step in range(100)]
    assert [(step, value) for step, _, value in metrics["epochs"]] == [(7, 3)]
    assert values["accuracy"] == [0.5]
    assert values["scalars"] == [1.5, -2, True, None, "text \u00e9\n", 2**80, float("inf")]
    assert [type(value) for value in values["scalars"][:3]] == [float, int, bool]
    assert values["list"] == [[1, 2.5, "three"]]
    assert values["row"] == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]
    assert values["table"] == [{"x": [1, 2, 3], "y": [0.5, None, 1.5]}]
    assert {name: values[name] for name in ("v1", "threaded", "forked", "started")} == {
        "v1": [1], "threaded": [1], "forked": [1], "started": [1],
    }  # fmt: skip
    edits = [json.loads(path.read_text()) for path in (tmp_path / "edits").iterdir()]
    assert [list(edit["tags"]) for edit in edits] == [["python"]]


def test_a_script_asks_its_run_makes_children_and_registers_models(python, staged, tmp_path):
    directory = tmp_path / "runs" / layout.run_directory_name("old pythons", RUN_ID)
    (directory / "work").mkdir(parents=True)
    definition = {"script": "train.py", "arguments": ["--rate", 0.1]}
    record = {"format": 1, "id": RUN_ID, "experiment": "old pythons", "created": 1.0, "definition": definition}
    (directory / "run.json").write_text(json.dumps(record))
    for folder in ("journals", "edits", "attempts"):
        (directory / folder).mkdir()
    context = {"AMLNB_RUN_ID": RUN_ID, "AMLNB_RUN_DIR": directory, "AMLNB_EXPERIMENT": "old pythons"}
    ids = {"SUBSCRIPTION": "s", "RESOURCEGROUP": "g", "WORKSPACE_NAME": "w"}
    context.update({f"AZUREML_ARM_{name}": value for name, value in ids.items()})
    told = json.loads(_run(python, "use_the_run.py", PYTHONPATH=staged, cwd=directory / "work", **context))
    assert told == {
        "experiment": "old pythons",
        "workspace": "w",
        "ids": ["s", "g"],
        "location": "local",
        "status": "NotStarted",
        "tags": {"kind": "3"},
        "properties": {"p": "1"},
        "refused": "UserErrorException",
        "metrics": {
            "loss": [0.5, 0.25, 1.0],
            "whole": 2**70,
            "list": [1, 2, 3],
            "row": {"x": 1, "y": "a"},
            "table": {"x": [1, 2], "y": [3, 4]},
        },
        "one": {"list": [1, 2, 3]},
        "none": {},
        "files": ["outputs/model.txt", "outputs/net/a.txt", "outputs/net/b.txt"],
        "parent": None,
        "inputs": {},
        "details": [RUN_ID, "NotStarted", ["--rate", 0.1]],
        "downloaded": "outputs/model.txt",
        "kid's parent": RUN_ID,
        "kid's workspace": "w",
        "left": ["Failed", "by another object"],
        "children": [False, False, True],
        "folds": ["b", "a"],
        "below": sorted([["loss", "whole", "list", "row", "table"], ["x"], ["y"], ["y"]]),
        "again": True,
        "models": [["net", 1, True], ["text", 1, True]],
        "missing": "ModelPathNotFoundException",
        "path": "azureml-models/net/1/net",
        "model": "text:1",
        "listed": ["net:1"],
        "of a run": True,
    }
    assert (directory / "work" / "azureml-models" / "net" / "1" / "net" / "b.txt").read_text() == "outputs/net/b.txt"


def _documented_reader():
    """`read_metrics` as docs/format.md prints it."""
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec(compile(code, "docs/format.md", "exec"), names)
    return names["read_metrics"]
