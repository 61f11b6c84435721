import math
import os

import pytest

import amlnb
from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.notebook.compare_output import compare_outputs


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create(str(tmp_path))[0], "digits")


def made(experiment, name, code, scale, steps=20):
    """A run with a snapshot of a folder that holds this code."""
    os.makedirs("src", exist_ok=True)
    with open("src/train.py", "w", encoding="utf-8") as file:
        file.write(code)
    with open("src/same.py", "w", encoding="utf-8") as file:
        file.write("pass\n")
    run = experiment.start_logging(name, snapshot_directory="src")
    run.add_properties({"param.scale": str(scale), "param.steps": str(steps)})
    run.tag("kind", name)
    for step in range(steps):
        run.log("loss", scale * math.exp(-step / 5), step=step)
    run.log("accuracy", 1 - scale / 10)
    run.complete()
    return run


@pytest.fixture
def runs(experiment):
    return [
        made(experiment, "small", "rate = 0.1\n", 1.0),
        made(experiment, "large", "rate = 0.2\n", 2.0),
        made(experiment, "large", "rate = 0.2\n", 3.0),
    ]


def test_two_runs_are_a_picture_a_table_and_a_diff(runs):
    picture, table, code = compare_outputs(runs[:2])
    assert set(picture.data) == {"image/png", "text/plain"}
    assert picture.metadata["image/png"]["width"] == 720
    for output in (table, code):
        assert set(output.data) == {"text/html", "text/plain"}
    text = table.data["text/plain"]
    assert text.splitlines()[0].split() == ["━", "#1", "small", "╍", "#2", "large", "difference"]
    assert "loss" in text
    assert "+100 %" in text
    assert "★ 0.9000" in text
    assert "scale" in text
    assert "\nsteps" not in text
    assert "the same in both: 1 parameter" in text
    assert "-rate = 0.1\n+rate = 0.2" in code.data["text/plain"]
    assert "1 file differs, 1 the same" in code.data["text/plain"]


def test_three_runs_are_compared_file_by_file(runs):
    told = compare_outputs(runs)[2].data["text/plain"]
    assert told.splitlines()[-1].split() == ["train.py", "a", "b", "b"]


def test_the_same_comparison_is_the_same_bytes(runs):
    assert compare_outputs(runs) == compare_outputs(runs)


def test_a_comparison_displays_itself_and_prints_as_text(runs, capsys):
    comparison = amlnb.compare(runs[0], runs[1])
    print(comparison)
    told = capsys.readouterr().out
    for part in ("#1 small  ", "★", "code: 1 file differs"):
        assert part in told


def test_runs_of_several_experiments_are_called_by_theirs(runs):
    other = Experiment(runs[0].experiment.workspace, "other").start_logging("x", snapshot_directory=None)
    other.complete()
    comparison = amlnb.compare(runs[0], other)
    assert [run.label for run in comparison.view.runs] == ["digits#1 small", "other#1 x"]
    assert [set(data) for data, _ in comparison.bundles()] == [{"text/html", "text/plain"}] * 2  # nothing to draw
    assert f"the run {other.id} kept none of it" in repr(comparison)


def test_a_run_whose_snapshot_is_gone_is_compared_without_it(runs):
    objects = runs[0].experiment.workspace.directory.objects
    snapshot = runs[0]._reader().record["snapshot"]
    os.unlink(os.path.join(objects, snapshot[:2], snapshot[2:]))
    assert "code: not compared" in repr(amlnb.compare(*runs))


def test_a_file_whose_content_is_gone_is_told(runs):
    from amlnb.core.manifest import decode
    from amlnb.store.objects import ObjectStore

    store = ObjectStore(runs[0].experiment.workspace.directory.objects)
    snapshot = runs[0]._reader().record["snapshot"]
    os.unlink(store.path(decode(store.read(snapshot), snapshot).files["train.py"][0]))
    assert "train.py (its content is missing)" in repr(amlnb.compare(*runs[:2]))


def test_values_of_environment_variables_are_not_shown(runs):
    from amlnb.api.comparison import environment_facts

    record = {
        "definition": {"environment_variables": {"KEY": "secret", "A": "1"}},
        "git": {"commit": "c" * 40, "dirty": True},
    }
    assert environment_facts(record, {}) == {"git commit": "c" * 12 + " with changes", "variables": "A, KEY"}


def test_less_than_two_runs_and_what_is_no_run_are_refused(runs):
    for given in ([], runs[:1], [runs[0], runs[0]], ["text", runs[0]], [runs]):
        with pytest.raises(UserErrorException, match="cannot be compared"):
            amlnb.compare(*given)


def test_a_run_that_is_given_twice_is_shown_once(runs):
    assert len(amlnb.compare(runs[0], runs[1], runs[0]).view.runs) == 2
