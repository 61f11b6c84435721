"""The magics in a shell without a front end: every cell waits, and prints."""

import os
import sys

import pytest

from amlnb.api.run_reading import run_at
from amlnb.api.workspace import Workspace
from amlnb.engine.rerun import rerun
from amlnb.errors import AmlnbError, RunFailedError, UserErrorException
from amlnb.notebook.magic import load_ipython_extension, magic_of
from amlnb.tracking import context


@pytest.fixture
def workspace(tmp_path):
    return lambda: Workspace.from_config(str(tmp_path))


def test_values_return_by_name(run_cell, shell):
    run_cell("import numpy as np\nclass Model:\n    rate = 0.1\n    def fit(self):\n        return self\nscale = 2")
    run, printed = run_cell(
        "%%submit --out model,curve --as first\nmodel = Model().fit()\nmodel.rate *= scale\ncurve = np.arange(3)"
    )
    assert "submitted with 1 import, 1 " in printed
    result = run.result()
    assert list(result) == ["model", "curve"]
    assert (result["model"].rate, result["curve"].tolist()) == (0.2, [0, 1, 2])
    assert type(result["model"]) is shell.user_ns["Model"]
    assert shell.user_ns["first"] is run


def test_a_class_that_the_cell_itself_defines_returns_too(run_cell):
    run, _ = run_cell("%%submit --out model\nclass Own:\n    rate = 0.5\nmodel = Own()")
    assert run.result()["model"].rate == 0.5


def test_the_value_at_submission_counts(run_cell):
    run_cell("rates = [0.1]")
    run, _ = run_cell("%%submit --out seen\nseen = list(rates)")
    run_cell("rates.append(0.2)")
    assert run.result() == {"seen": [0.1]}


def test_a_failed_cell_raises_with_its_own_line(run_cell):
    with pytest.raises(
        RunFailedError,
        match=r"(?s)ZeroDivisionError: division by zero \(line 3 of the cell\).*line 3 of the cell: y = 1 / x",
    ):
        run_cell("%%submit\nx = 0\ny = 1 / x")


def test_a_failure_deep_in_a_library_names_the_cells_own_line(run_cell, workspace):
    with pytest.raises(
        RunFailedError, match=r"(?s)none\.csv.*\(line 4 of the cell\).*line 4 of the cell: pd\.read_csv"
    ):
        run_cell("%%submit\nimport pandas as pd\nname = 'none' + '.csv'\npd.read_csv(name)")
    error = workspace().get_run("last").get_details()["error"]["error"]
    own = error["details"]["frames"][0]
    assert "name" in [local["name"] for local in own["locals"]]


def test_an_equal_run_is_shown_instead_of_run_again(run_cell, tmp_path):
    (tmp_path / "data.csv").write_text("1,2")
    run_cell("rate = 0.1\n")
    cell = "%%submit --reuse\nimport pathlib\nprint(pathlib.Path('data.csv').read_text(), rate)"
    first, printed = run_cell(cell)
    assert "not run again" not in printed
    second, printed = run_cell(cell)
    assert f"not run again: {first.id} has Completed" in printed
    assert second.id == first.id
    for change in ("rate = 0.2", "import pathlib; pathlib.Path('data.csv').write_text('3,4,5')"):
        run_cell(change)
        changed, printed = run_cell(cell)
        assert "not run again" not in printed
        assert changed.id not in (first.id, second.id)
        second = changed
    again, _ = run_cell(cell.replace("--reuse", "--no-reuse"))
    assert again.id != second.id


def test_what_a_run_depends_on_besides_its_code_is_noticed(run_cell, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "edited.py").write_text("value = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    monkeypatch.syspath_prepend(str(elsewhere))
    monkeypatch.setenv("SEED", "1")
    (tmp_path / "train.py").write_text("import os, sys, edited\nos.environ['SEED']\n")
    (tmp_path / "data.csv").write_text("1")
    lines = ("%%submit --reuse\nimport os, edited\nprint(os.environ['SEED'])", "%submit --reuse train.py data.csv")
    first = [run_cell(line)[0].id for line in lines]
    assert [run_cell(line)[0].id for line in lines] == first
    (elsewhere / "edited.py").write_text("value = 222\n")
    second = [run_cell(line)[0].id for line in lines]
    assert not set(second) & set(first)
    monkeypatch.setenv("SEED", "2")
    third = [run_cell(line)[0].id for line in lines]
    assert not set(third) & set(second)
    (tmp_path / "data.csv").write_text("22")
    assert run_cell(lines[1])[0].id != third[1]


def test_a_reused_run_keeps_its_name_and_says_so(run_cell):
    run_cell("%%submit one --reuse\n1")
    run, printed = run_cell("%%submit two --reuse --tag draft\n1")
    assert run.display_name == "one"
    assert "its own name and tags stay as they are" in printed


def test_a_run_that_ran_again_by_hand_is_not_taken_for_the_same(run_cell, workspace):
    first, _ = run_cell("%%submit --reuse\n1")
    again = run_at(rerun(first.directory, workspace().directory))
    again.wait_for_completion()
    assert run_cell("%%submit --reuse\n1")[0].id == first.id


def test_a_run_is_shown_once_by_its_cell_and_again_by_every_later_one(run_cell, shell, monkeypatch):
    magic, shown = magic_of(shell), []
    monkeypatch.setattr(magic, "show_still", lambda run: shown.append(run.id))
    with pytest.raises(RunFailedError):
        run_cell("%%submit --as broken\n1 / 0")
    run = shell.user_ns["broken"]
    assert shown == [run.id]
    shell.execution_count += 1
    magic.show(run)
    assert shown == [run.id] * 2


def test_a_reload_keeps_the_settings(run_cell, shell):
    run_cell("%submit_config reuse=True")
    load_ipython_extension(shell)
    assert "True" in run_cell("%submit_config")[1]
    run_cell("%submit_config --reset")


def test_a_failed_run_is_never_shown_instead(run_cell):
    for _ in range(2):
        with pytest.raises(RunFailedError):
            run_cell("%%submit --reuse\n1 / 0")


def test_run_all_is_cheap_where_the_notebook_says_so(run_cell):
    _, printed = run_cell("%submit_config reuse=True tags=team=x")
    assert "reuse       True" in printed
    first, _ = run_cell("%%submit\nprint(1)")
    assert first.tags == {"team": "x"}
    second, printed = run_cell("%%submit\nprint(1)")
    assert second.id == first.id
    run_cell("%submit_config --reset")
    third, _ = run_cell("%%submit\nprint(1)")
    assert third.id != first.id


def test_files_are_taken_along(run_cell, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.txt").write_text("seven")
    (tmp_path / "helper.py").write_text("def double(x):\n    return 2 * x\n")
    run, printed = run_cell(
        "%%submit --with conf --out x,s\nfrom helper import double\nx = double(4)\ns = open('conf/a.txt').read()"
    )
    assert "1 module file, conf" in printed
    assert run.result() == {"x": 8, "s": "seven"}
    assert "captured_values.py" not in os.listdir(tmp_path)
    with pytest.raises(UserErrorException, match=r"did you mean 'conf'\?"):
        run_cell("%%submit --with cnf\n1")
    with pytest.raises(UserErrorException, match="is not inside the notebook's folder"):
        run_cell("%%submit --with ../x\n1")


def test_modules_of_the_scripts_own_name_do_not_matter(run_cell, tmp_path):
    for name in ("cell", "submitted_cell"):
        (tmp_path / f"{name}.py").write_text("x = 1\n")
    run, _ = run_cell("%%submit --out y\nimport cell, submitted_cell\ny = cell.x + submitted_cell.x")
    assert run.result() == {"y": 2}


def test_a_word_for_a_number_is_refused(run_cell):
    run_cell("lr = 0.1\noptimizer = 'adam'")
    run, _ = run_cell("%%submit -p lr 1 -p optimizer=sgd --out found\nfound = (lr, optimizer)")
    assert run.result() == {"found": (1, "sgd")}
    for line in ("-p lr=0.1,epochs=3", "-p lr abc"):
        with pytest.raises(UserErrorException, match=r"lr is a number in this notebook \(0\.1\)"):
            run_cell(f"%%submit {line}\nprint(lr)")


def test_names_can_be_given_and_withheld(run_cell):
    run_cell("rate = 0.1\nname = 'rate'")
    run, _ = run_cell("%%submit --in rate --out x\nx = eval(name)")
    assert run.result() == {"x": 0.1}
    with pytest.raises(RunFailedError, match="NameError"):
        run_cell("%%submit --no-capture\nprint(rate)")


def test_the_log_is_streamed(run_cell):
    run, printed = run_cell("%%submit --stream\nfor i in range(3):\n    print('line', i)")
    assert "line 0\nline 1\nline 2\n" in printed
    assert run.get_status() == "Completed"


def test_a_dry_run_shows_all_and_makes_nothing(run_cell, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1\n")
    run_cell("import math\nrate = 0.1\ndef f(x):\n    return math.exp(x)")
    result, printed = run_cell("%%submit first --dry-run -e digits --tag a=1\nimport helper\nf(rate)")
    assert result is None
    script, _, told = printed.partition("# %% Nothing was submitted")
    compile(script, "cell.py", "exec")
    for text in (
        "experiment   digits",
        "target       local",
        "Python 3.",
        "tags         a=1",
        "helper.py (6 B)",
        "rate",
    ):
        assert text in told
    assert os.listdir(tmp_path) == ["helper.py"]


def test_what_is_refused_for_its_experiments_name_makes_no_workspace(run_cell, tmp_path):
    (tmp_path / "train.py").write_text("pass\n")
    for text in ("%%submit -e 'a b'\nprint(1)", "%submit -e 'a b' train.py"):
        with pytest.raises(UserErrorException, match="' ' is no letter"):
            run_cell(text)
    assert os.listdir(tmp_path) == ["train.py"]


def test_what_will_be_missing_is_told_before(run_cell, workspace):
    with pytest.raises(AmlnbError, match="no_such_module"):
        run_cell("%%submit\nimport no_such_module")
    with pytest.raises(UserErrorException):
        workspace()
    with pytest.raises(RunFailedError, match="FileNotFoundError"):
        run_cell("%%submit\nopen('none.csv').read()")
    run = workspace().get_run("last")
    assert any("none.csv" in warning["message"] for warning in run.get_details()["warnings"])


def test_a_script_is_submitted_in_a_line(run_cell, tmp_path):
    (tmp_path / "train.py").write_text("import sys, amlnb\nprint(sys.argv)\namlnb.log(loss=1.0)\n")
    run, printed = run_cell("%submit -e scripts --as run train.py --epochs 3")
    assert run.get_metrics() == {"loss": 1.0}
    assert run.experiment.name == "scripts"
    assert run.get_details()["runDefinition"]["arguments"] == ["--epochs", "3"]
    assert "submitted with train.py" in printed
    _, printed = run_cell("%submit --dry-run train.py --epochs 3")
    assert "train.py --epochs 3" in printed
    with pytest.raises(UserErrorException, match="--out is not for a script"):
        run_cell("%submit --out x train.py")
    run, printed = run_cell("%submit train.py --dry-run")
    assert "--dry-run stands after the script, and is given to it" in printed
    assert run.get_details()["runDefinition"]["arguments"] == ["--dry-run"]
    with pytest.raises(UserErrorException, match="--no-capture is not for a script"):
        run_cell("%submit --no-capture train.py")
    with pytest.raises(AmlnbError, match=r"there is no script 'trian\.py'"):
        run_cell("%submit --dry-run trian.py")
    with pytest.raises(AmlnbError, match=r"there is no script 'trian\.py'"):
        run_cell("%submit trian.py")


def test_what_is_submitted_inside_of_a_run_is_its_child(run_cell, workspace, monkeypatch):
    parent, _ = run_cell("%%submit\nprint(1)")
    for name, value in context.variables(parent.id, "e", parent.directory, {}).items():
        monkeypatch.setenv(name, value)
    child, _ = run_cell("%%submit\nprint(2)")
    assert child.parent.id == parent.id
    assert [run.id for run in parent.get_children()] == [child.id]


def test_a_near_experiment_is_suggested(run_cell):
    run_cell("%%submit -e digits\n1")
    run, printed = run_cell("%%submit -e digist\n1")
    assert "digist is a new experiment; did you mean digits?" in printed
    assert run.experiment.name == "digist"
    _, printed = run_cell("%%submit -e digist\n1")
    assert "did you mean" not in printed


def test_a_near_target_is_suggested_and_nothing_is_left(run_cell, workspace):
    with pytest.raises(AmlnbError, match="did you mean 'local'"):
        run_cell("%%submit -t lcoal\n1")
    assert workspace().experiments == {}


def test_runs_are_shown_and_compared(run_cell):
    with pytest.raises(UserErrorException, match="no workspace was found"):
        run_cell("%runs")
    run_cell("rate = 0.1")
    run_cell("%%submit slow -e digits --as slow\nimport amlnb\nfor i in range(3):\n    amlnb.log(loss=1 - rate * i)")
    run_cell("rate = 0.2")
    run_cell("%%submit fast -e digits\nimport amlnb\nfor i in range(3):\n    amlnb.log(loss=1 - rate * i)")
    for line in ("%runs", "%runs digits -n 5", "%runs --sort loss  # the best first", "%runs # all"):
        _, printed = run_cell(line)
        assert "slow" in printed
        assert "fast" in printed
    _, printed = run_cell("%compare slow last")
    assert "rate" in printed
    _, printed = run_cell("%compare digits#1 digits#2")
    assert "0.2" in printed
    for line in ("%compare slow", "%runs nowhere", "%runs -n none", "%runs --sort nothing", "%compare slow nobody"):
        with pytest.raises(UserErrorException) as caught:
            run_cell(line)
        assert caught.value.hint


def test_a_run_is_found_by_the_name_that_it_was_given(run_cell, workspace, shell):
    first, _ = run_cell("%%submit steady\nimport amlnb\namlnb.log(loss=1)")
    second, _ = run_cell("%%submit bold\nimport amlnb\namlnb.log(loss=2)")
    assert workspace().get_run("steady").id == first.id
    shell.user_ns["runs"] = {"a": first, "b": [second]}
    for line in ("%compare steady bold", "%compare runs['a'] bold", "%compare steady bold"):
        assert "steady" in run_cell(line)[1]
    with pytest.raises(UserErrorException, match="did you mean 'steady'"):
        run_cell("%compare staedy bold")
    run_cell("%%submit bold\n1")
    with pytest.raises(UserErrorException, match="can be any of 2 runs"):
        workspace().get_run("bold")


def test_a_run_takes_no_other_variables_place(run_cell, shell):
    run_cell("lr = 0.1")
    with pytest.raises(UserErrorException, match="would replace the notebook's lr"):
        run_cell("%%submit --as lr\n1")
    for _ in range(2):
        run_cell("%%submit --as again\n1")
    assert shell.user_ns["lr"] == 0.1


def test_a_setting_that_cannot_be_is_refused_when_it_is_made(run_cell):
    with pytest.raises(AmlnbError, match="no compute target 'nowhere'"):
        run_cell("%submit_config target=nowhere")
    assert "local" in run_cell("%submit_config")[1]


def test_an_error_shows_the_callers_line_and_none_of_ours(run_cell, workspace):
    error = None
    try:
        workspace().get_run("nothing")
    except UserErrorException as caught:
        error = caught
    lines = error._render_traceback_()
    assert any("workspace()" in line for line in lines)
    assert not any("amlnb/" in line for line in lines[:-2])
    assert "UserErrorException" in lines[-2]


def test_a_wrong_project_file_is_told_at_submission(run_cell, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.amlnb]\nresue = true\n")
    with pytest.raises(UserErrorException, match=r"did you mean reuse\?"):
        run_cell("%%submit\n1")


def test_help_is_worth_reading(run_cell, shell):
    for line in ("%submit --help", "%%submit --help\n1"):
        _, printed = run_cell(line)
        for text in ("%%submit", "--out NAMES", "%submit train.py", "run.result()", "%compare A B"):
            assert text in printed
    assert "--out NAMES" in shell.find_line_magic("submit").__doc__
    for line, told in {"%submit": "with two signs", "%runs -h": "--sort", "%compare --help": "digits#3"}.items():
        assert told in run_cell(line)[1]
    assert "NAME=" in run_cell("%submit_config --help")[1]


def test_the_command_is_found_where_the_environment_is_not_activated(shell, tmp_path, monkeypatch):
    command, python, path = tmp_path / "amlnb", tmp_path / "python", str(tmp_path / "nothing")
    monkeypatch.setattr(sys, "executable", str(python))
    for text, found in ((None, path), ("#!/bin/sh\n", f"{path}{os.pathsep}{tmp_path}")):
        if text is not None:
            command.write_text(text)
            command.chmod(0o755)
        monkeypatch.setenv("PATH", path)
        load_ipython_extension(shell)
        assert os.environ["PATH"] == found


def test_a_run_of_the_same_cell_that_goes_on_is_told_but_not_in_a_loop_that_submits_several(
    run_cell, workspace, monkeypatch
):
    monkeypatch.setattr("amlnb.notebook.magic.cell_id", lambda _: "cell")
    magic = "get_ipython().run_cell_magic('submit', '--no-block', 'import time; time.sleep(600)')"
    _, printed = run_cell(f"for number in range(2):\n    {magic}")
    assert "earlier run" not in printed
    _, printed = run_cell(f"{magic};")
    assert "an earlier run of this cell goes on" in printed
    for experiment in workspace().experiments.values():
        for run in experiment.get_runs():
            run.cancel()
