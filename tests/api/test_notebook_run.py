"""Whole notebooks as runs: their parameters, and the runs themselves with real kernels."""

import ast
import json
import os
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest

from amlnb import Experiment, NotebookRunConfig, RunFailedError, Workspace
from amlnb.api.notebook_parameters import Parameter, checked, parameters_of, read_notebook, written_parameters
from amlnb.api.notebook_run_config import AzureMLNotebookHandler
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import RunTail


def notebook(*cells, parameters=None, kernel="no-such-kernel", language="python"):
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": language}}
    )
    if parameters is not None:
        cell = nbformat.v4.new_code_cell(parameters)
        cell.metadata["tags"] = ["parameters"]
        made.cells.append(cell)
    made.cells += [nbformat.v4.new_markdown_cell("# Title"), *(nbformat.v4.new_code_cell(text) for text in cells)]
    return made


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Save cells as ``train.ipynb`` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def saved(*cells, **settings):
        nbformat.write(notebook(*cells, **settings), tmp_path / "train.ipynb")

    return saved


PARAMETERS = """
%matplotlib inline
rate = 0.1
steps: int = 5
name = "adam"  # type: str
flag = False
sizes = [1, 2]
anything = None
computed = 2 * 3
"""


def test_parameters_have_defaults_and_types():
    found = parameters_of(notebook(parameters=PARAMETERS))
    assert found["rate"] == Parameter("rate", 0.1, float)
    assert found["steps"] == Parameter("steps", 5, int)
    assert found["name"] == Parameter("name", "adam", str)
    assert found["sizes"] == Parameter("sizes", [1, 2], list)
    assert found["anything"] == Parameter("anything", None, None)
    assert found["computed"].kind is None
    assert parameters_of(notebook("x = 1")) is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("rate", 0.2, 0.2),
        ("rate", 1, 1.0),
        ("steps", 3, 3),
        ("name", "sgd", "sgd"),
        ("flag", True, True),
        ("flag", "true", True),
        ("sizes", [3], [3]),
        ("anything", "x", "x"),
        ("computed", 1.5, 1.5),
    ],
)
def test_values_become_what_the_notebook_expects(name, value, expected):
    found = checked({name: value}, notebook(parameters=PARAMETERS), "train.ipynb")[name]
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rte": 0.2}, r"(?s)no parameter 'rte'.*did you mean 'rate'\?"),
        ({"x": 1}, r"(?s)no parameter 'x'.*it has: rate, steps"),
        ({"rate": "fast"}, r"(?s)'rate' .* is a float, and was given 'fast' \(str\).*its default is 0\.1"),
        ({"steps": 2.5}, r"'steps' .* is a int, and was given 2\.5"),
        ({"steps": True}, r"'steps' .* is a int, and was given True"),
        ({"sizes": {}}, r"'sizes' .* is a list"),
        ({"name": 7}, r"'name' .* is a str, and was given 7"),
        ({"anything": {1, object}}, r"'anything' .* cannot be"),
    ],
)
def test_wrong_values_are_refused_by_name(given, message):
    with pytest.raises(UserErrorException, match=message):
        checked(given, notebook(parameters=PARAMETERS), "train.ipynb")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("name", "1.10", "1.10"),
        ("name", "None", "None"),
        ("rate", "1e-3", 0.001),
        ("flag", "true", True),
        ("anything", "x", "x"),
    ],
)
def test_a_word_on_a_line_is_read_by_the_type_of_its_parameter(save, name, text, expected):
    save("1", parameters=PARAMETERS)
    written = written_parameters({name: text}, "train.ipynb")
    assert checked(written, read_notebook("train.ipynb"), "train.ipynb") == {name: expected}


def test_a_word_on_a_line_for_no_parameter_is_refused(save):
    save("1", parameters=PARAMETERS)
    with pytest.raises(UserErrorException, match="no parameter 'rte'"):
        written_parameters({"rte": "1"}, "train.ipynb")
    save("1")
    with pytest.raises(UserErrorException, match="has no parameters"):
        written_parameters({"rate": "1"}, "train.ipynb")


def test_a_numpy_number_is_a_number():
    assert checked({"rate": np.float64(0.5)}, notebook(parameters=PARAMETERS), "train.ipynb") == {"rate": 0.5}


def test_the_folders_own_program_of_that_name_is_left_alone(save, tmp_path):
    save("1")
    (tmp_path / "run_notebook.py").write_text("x = 1\n")
    spec = NotebookRunConfig(".", "train.ipynb").to_spec("e")
    assert spec.script == "amlnb_run_notebook.py"
    assert list(spec.added) == [spec.script]


@pytest.mark.notebook
def test_a_tuple_stays_one(submit):
    run = submit("print(type(shape).__name__, shape)", parameters="shape = (1, 2)", given={"shape": (3, 4)})
    assert "tuple (3, 4)" in log_of(run)


def test_a_notebook_without_parameters_takes_none():
    with pytest.raises(UserErrorException, match=r"(?s)has no parameters.*tag a cell"):
        checked({"rate": 1}, notebook("rate = 2"), "train.ipynb")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as a notebook"),
        ("[]", "is no notebook of format 4"),
        ('{"worksheets": []}', "is no notebook of format 4"),
        (nbformat.writes(notebook(language="R")), "is a notebook of R"),
        (None, "there is no notebook"),
    ],
)
def test_what_is_no_python_notebook_is_refused(tmp_path, content, message):
    path = tmp_path / "train.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserErrorException, match=message):
        read_notebook(str(path))


def test_a_config_is_a_spec(save):
    save("1", parameters=PARAMETERS)
    spec = NotebookRunConfig(".", "train.ipynb", parameters={"rate": 1}).to_spec("e")
    assert spec.script in spec.added
    assert spec.arguments == ("train.ipynb", "outputs/train.output.ipynb", "{'rate': 1.0}")
    assert spec.properties["param.rate"] == "1.0"
    assert spec.properties["param.steps"] == "5"
    handler = AzureMLNotebookHandler(
        history=True, timeout=5, progress_bar=False, log_output=True, kernel_name="x", cwd="$HOME"
    )
    given = (
        NotebookRunConfig(".", "train.ipynb", parameters={"name": "$HOME"}, handler=handler).to_spec("e").arguments[2:]
    )
    assert not any("$" in each for each in given)  # nothing in them is taken for a variable
    assert (ast.literal_eval(given[0]), json.loads(given[1])) == ({"name": "$HOME"}, {"timeout": 5, "cwd": "$HOME"})
    with pytest.raises(UserErrorException, match="handler is a dict"):
        NotebookRunConfig(".", "train.ipynb", handler={})
    with pytest.raises(UserErrorException, match="not inside the source directory"):
        NotebookRunConfig(".", "../train.ipynb")
    with pytest.raises(UserErrorException, match="kept under outputs/"):
        NotebookRunConfig(".", "train.ipynb", output_notebook="/train.ipynb")
    with pytest.raises(Exception, match="Unsupported option: colour"):
        AzureMLNotebookHandler(colour=1)


@pytest.fixture
def submit(save, tmp_path):
    """Save cells, submit them, and wait for the run."""

    def submitted(*cells, given=None, wait=True, **settings):
        save(*cells, **settings)
        experiment = Experiment(Workspace.find_or_create(str(tmp_path))[0], "e")
        run = experiment.submit(NotebookRunConfig(".", "train.ipynb", parameters=given))
        if wait:
            run.wait_for_completion(raise_on_error=False)
        return run

    return submitted


def executed(run):
    with open(os.path.join(run.directory, "work", "outputs", "train.output.ipynb"), encoding="utf-8") as file:
        return nbformat.read(file, 4)


def log_of(run):
    return run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]


@pytest.mark.notebook
def test_a_notebook_runs_with_its_parameters_and_is_kept(submit):
    run = submit(
        "import amlnb\nfor i in range(steps):\n    amlnb.log(loss=rate * i)\nprint('hello', rate)",
        "import helper\nhelper.x",
        "import ipywidgets\nipywidgets.IntSlider(3)" if _has("ipywidgets") else "3",
        parameters="rate = 0.1\nsteps = 2",
        given={"rate": 0.5},
    )
    assert "ModuleNotFoundError: No module named 'helper'" in run.get_details()["error"]["error"]["message"]
    with open("helper.py", "w") as file:
        file.write("x = 7\n")
    run = Experiment(run.experiment.workspace, "e").submit(
        NotebookRunConfig(".", "train.ipynb", parameters={"rate": 0.5}, output_notebook="done.ipynb")
    )
    assert run.result() == {}
    assert run.get_metrics() == {"loss": [0.0, 0.5]}
    assert "outputs/done.ipynb" in run.get_file_names()
    assert "hello 0.5" in log_of(run)
    assert "WARNING" not in log_of(run)
    with open(os.path.join(run.directory, "work", "outputs", "done.ipynb"), encoding="utf-8") as file:
        kept = nbformat.read(file, 4)
    nbformat.validate(kept)
    assert "7" in str(kept.cells[-2].outputs)
    assert "widgets" not in kept.metadata
    assert run.get_details()["warnings"] == []
    assert sorted(os.listdir(os.path.join(run.directory, "work"))) == ["logs", "outputs"]


def _has(name):
    import importlib.util

    return importlib.util.find_spec(name) is not None


@pytest.mark.notebook
def test_a_notebook_without_any_metadata_runs(submit, tmp_path):
    run = submit("print(rate)", parameters="rate = 0.1", given={"rate": 0.3})
    document = json.loads((tmp_path / "train.ipynb").read_text())
    document["metadata"] = {}
    (tmp_path / "train.ipynb").write_text(json.dumps(document))
    run = run.experiment.submit(NotebookRunConfig(".", "train.ipynb", parameters={"rate": 0.3}))
    assert run.result() == {}
    assert "0.3" in log_of(run)


@pytest.mark.notebook
def test_a_failing_cell_is_the_runs_error(submit):
    run = submit("print('before')", "x = 1\nraise ValueError(f'bad rate {x}')", "print('never')")
    assert run.get_status() == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["message"].startswith("ValueError: bad rate 1 (cell [2] of train.ipynb)")
    frame = error["details"]["frames"][-1]
    assert (frame["line"], frame["text"]) == (2, "raise ValueError(f'bad rate {x}')")
    assert frame["file"] == "train.ipynb, cell [2]"
    assert frame["locals"] == [{"name": "x", "type": "int", "value": "1"}]
    assert "never" not in log_of(run)
    assert "bad rate 1" in str(executed(run).cells)
    with pytest.raises(RunFailedError, match="bad rate 1"):
        run.result()


@pytest.mark.notebook
def test_where_in_the_notebook_an_error_was_is_told_before_its_hint(submit):
    run = submit("raise ValueError('bad rate\\nhint: give one')")
    message = run.get_details()["error"]["error"]["message"]
    assert message == "ValueError: bad rate (cell [1] of train.ipynb)\nhint: give one"


@pytest.mark.notebook
def test_cells_are_counted_as_the_person_sees_them(submit):
    run = submit("x = rate", "1 / 0", parameters="rate = 0.1", given={"rate": 0.3})
    assert "cell [3] of train.ipynb" in run.get_details()["error"]["error"]["message"]
    assert "[3/3] 1 / 0" in log_of(run)


@pytest.mark.notebook
def test_the_executed_notebook_can_be_opened_while_it_grows(submit):
    run = submit(*["import time\ntime.sleep(0.3)\nprint('done')"] * 5, wait=False)
    seen = set()
    while not run.done():
        try:
            cells = executed(run).cells
        except FileNotFoundError:
            continue
        seen.add(str(cells).count("done\\n"))
        time.sleep(0.01)
    assert run.get_status() == "Completed"
    assert len(seen) > 2  # it was seen in between


@pytest.mark.notebook
def test_a_cancel_ends_the_kernel_and_keeps_the_notebook(submit):
    run = submit("print('first')", "import time\nprint('second', flush=True)\ntime.sleep(600)", wait=False)
    while "second" not in (log_of(run) if run.get_status() == "Running" and _has_log(run) else ""):
        assert not run.done()
        time.sleep(0.05)
    run.cancel()
    run.wait_for_completion()
    assert run.get_status() == "Canceled"
    assert "first" in str(executed(run).cells)


@pytest.mark.notebook
def test_a_cancel_leaves_nothing_behind_among_temporary_files(submit, tmp_path, monkeypatch):
    (tmp_path / "t").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    run = submit(
        "import os, time\nprint('in', os.environ['JUPYTER_RUNTIME_DIR'], flush=True)\ntime.sleep(600)", wait=False
    )
    while "in /" not in (log_of(run) if run.get_status() == "Running" and _has_log(run) else ""):
        assert not run.done()
        time.sleep(0.05)
    (folder,) = (tmp_path / "t").glob("amlnb-*")
    assert f"in {folder}" in log_of(run)
    run.cancel()
    run.wait_for_completion()
    assert run.get_status() == "Canceled"
    assert list((tmp_path / "t").glob("amlnb-*")) == []


@pytest.mark.notebook
@pytest.mark.parametrize("places", [True, False])
def test_a_long_path_of_temporary_files_is_no_obstacle(save, tmp_path, places):
    long = tmp_path / ("t" * 110)
    long.mkdir()
    save("import os\nprint('in', os.environ['JUPYTER_RUNTIME_DIR'])")
    spec = NotebookRunConfig(".", "train.ipynb").to_spec("e")
    program = f"import runpy, sys; module = runpy.run_path({str(spec.added[spec.script])!r})\n"
    if not places:
        program += "module['main'].__globals__['_PLACES'] = ()\n"
    program += "sys.exit(module['main'](sys.argv[1:]))"
    (tmp_path / "run.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "run.py", *spec.arguments],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(long)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (f"in {long}" in done.stdout) != places
    assert list(long.iterdir()) == []


@pytest.mark.notebook
def test_a_kernel_that_dies_is_told_as_its_cells_end(submit):
    run = submit("1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "print('never')")
    assert run.get_status() == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["message"].startswith(
        "DeadKernelError: the kernel died in cell [2] of train.ipynb\nhint: it may have used up"
    )
    assert [frame["file"] for frame in error["details"]["frames"]] == ["train.ipynb, cell [2]"]
    assert "nbclient" not in log_of(run)
    with pytest.raises(RunFailedError, match=r"the kernel died in cell \[2\]"):
        run.result()


@pytest.mark.notebook
def test_a_cell_that_takes_too_long_is_told_by_its_number(save, tmp_path):
    save("1", "import time\ntime.sleep(600)")
    experiment = Experiment(Workspace.find_or_create(str(tmp_path))[0], "e")
    handler = AzureMLNotebookHandler(timeout=1)
    run = experiment.submit(NotebookRunConfig(".", "train.ipynb", handler=handler))
    run.wait_for_completion(raise_on_error=False)
    error = run.get_details()["error"]["error"]
    assert error["message"].startswith(
        "CellTimeoutError: the cell took longer than 1 s (cell [2] of train.ipynb)\nhint: give cells more time"
    )
    assert [frame["file"] for frame in error["details"]["frames"]] == ["train.ipynb, cell [2]"]
    assert "nbclient" not in log_of(run)
    tail = RunTail(run.directory)
    tail.poll()
    (progress,) = [writer.progress for writer in tail.reader.writers if writer.progress]
    assert progress["done"] < progress["total"] == 2


def _has_log(run):
    return os.path.exists(os.path.join(run.directory, "user_logs", "std_log.txt"))


@pytest.mark.notebook
def test_what_a_notebook_submits_is_its_child(submit):
    run = submit("%load_ext amlnb", "%%submit\nimport amlnb\namlnb.log(x=1)")
    assert run.get_status() == "Completed", log_of(run)
    (child,) = run.get_children()
    assert child.get_metrics() == {"x": 1}
    assert child.experiment.name == "e"


@pytest.mark.notebook
def test_progress_is_told_cell_by_cell(submit):
    run = submit("a = 1", "", "b = 2\nc = 3")
    assert run.get_status() == "Completed"
    log = log_of(run)
    assert "[1/2] a = 1" in log
    assert "[2/2] b = 2" in log
    assert RunTail(run.directory).poll().state == "Completed"


@pytest.mark.notebook
def test_the_cell_that_runs_is_told_though_those_before_it_took_no_time(save, tmp_path):
    train = "%matplotlib inline\nimport time\n# ---\nwhile True:\n    time.sleep(0.1)"
    save(train, parameters="rate = 0.1")
    experiment = Experiment(Workspace.find_or_create(str(tmp_path))[0], "e")
    run = experiment.submit(NotebookRunConfig(".", "train.ipynb", parameters={"rate": 0.05}))
    tail = RunTail(run.directory)
    deadline = time.monotonic() + 120
    while not ((progress := tail.poll().progress) and progress.done) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.cancel()
    run.wait_for_completion(raise_on_error=False)
    assert (progress.done, progress.total, progress.text) == (1, 2, "while True:")
    assert "[1/2] rate = 0.05" in log_of(run)


@pytest.mark.notebook
def test_the_staged_program_runs_by_hand(save, tmp_path):
    save("print(rate)", parameters="rate = 0.1")
    spec = NotebookRunConfig(".", "train.ipynb", parameters={"rate": 0.3}).to_spec("e")
    done = subprocess.run(
        [sys.executable, spec.added[spec.script], *spec.arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0.3" in done.stdout
    assert json.loads((tmp_path / "outputs" / "train.output.ipynb").read_text())["nbformat"] == 4


def test_where_papermill_is_missing_is_told_in_words(save, tmp_path):
    save("1")
    spec = NotebookRunConfig(".", "train.ipynb").to_spec("e")
    done = subprocess.run(
        [sys.executable, "-S", spec.added[spec.script], *spec.arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "hint: pip install papermill ipykernel" in done.stderr


@pytest.mark.notebook
def test_the_command_line_submits_notebooks_too(save, tmp_path):
    save("import amlnb\namlnb.log(rate=rate)", parameters="rate = 0.1")
    command = [sys.executable, "-m", "amlnb", "submit", "--wait", "train.ipynb"]
    done = subprocess.run([*command, "-p", "rate", "0.7"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([*command, "-p", "rte=0.7"], capture_output=True, text=True, check=False)
    assert "did you mean 'rate'?" in done.stderr
    done = subprocess.run([*command, "--rate", "0.7"], capture_output=True, text=True, check=False)
    assert "parameters are given by -p NAME VALUE" in done.stderr
    (run,) = Experiment(Workspace.from_config(), "train").get_runs()
    assert run.get_metrics() == {"rate": 0.7}
