"""``Experiment``: v1's names, listings and life; and the printed progress of a submitted run."""

import json
import os
import re
import types
from pathlib import Path

import pytest

from amlnb import Experiment, ScriptRunConfig, Workspace
from amlnb.errors import ActivityFailedException, ExperimentExecutionException, NotServedException, UserErrorException
from tests.v1.signatures import signature_of


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create()[0]


@pytest.fixture
def experiment(workspace):
    return Experiment(workspace=workspace, name="day1-experiment")


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (
            "__init__",
            (
                "(workspace, name, _skip_name_validation=False, _id=None, _archived_time=None, _create_in_cloud=True, "
                "_experiment_dto=None, **kwargs)"
            ),
        ),
        ("delete", "(workspace, experiment_id)"),
        ("get_runs", "(type=None, tags=None, properties=None, include_children=False)"),
        ("list", "(workspace, experiment_name=None, view_type='ActiveOnly', tags=None)"),
    ],
)
def test_signatures_are_v1s(name, signature):
    assert signature_of(getattr(Experiment, name)) == signature


def test_a_workspace_is_none_by_its_name():
    with pytest.raises(UserErrorException, match="workspace is 'ws', a str") as raised:
        Experiment("ws", "x")
    assert "Workspace.from_config()" in raised.value.hint


def test_a_misspelt_keyword_of_start_logging_is_pythons_own_error(experiment):
    with pytest.raises(TypeError, match="foo"):
        experiment.start_logging(foo=1)
    assert list(experiment.get_runs()) == []


@pytest.mark.parametrize("given", [{"name": 5}, {"display_name": Path("x")}, {"run_id": 7}])
def test_names_of_a_run_are_texts(experiment, given):
    with pytest.raises(UserErrorException, match=r"(name|run_id) is .*, a (int|PosixPath)"):
        experiment.start_logging(snapshot_directory=None, **given)
    assert list(experiment.get_runs()) == []


def test_what_the_snapshot_of_start_logging_leaves_out_is_told(experiment, tmp_path, capsys):
    (tmp_path / "train.py").write_text("")
    os.mkfifo(tmp_path / "pipe")
    run = experiment.start_logging(snapshot_directory=str(tmp_path))
    (told,) = run.get_details()["warnings"]
    assert "pipe" in told["message"]
    assert f"Warning: {told['message']}" in capsys.readouterr().out
    run.complete()


def test_an_experiment_is_refreshed_and_not_deleted(workspace, experiment):
    assert experiment.refresh() is None
    with pytest.raises(NotServedException, match=r"Experiment\.delete") as raised:
        Experiment.delete(workspace, experiment.id)
    assert "experiment.archive()" in raised.value.hint


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 255, "9"])
def test_names_that_v1_took(workspace, name):
    assert Experiment(workspace, name).name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "a b", "a.b", "ä", "x" * 256, None, 3])
def test_names_that_it_refused(workspace, name):
    with pytest.raises(UserErrorException, match="cannot be the name of an experiment"):
        Experiment(workspace, name)


def test_experiments_are_listed_by_what_is_asked(workspace):
    for name in ("a", "b", "c"):
        Experiment(workspace, name).start_logging(snapshot_directory=None).complete()
    Experiment(workspace, "b").archive()
    Experiment(workspace, "c").tag("kind", "x")
    listed = [
        (view, [each.name for each in Experiment.list(workspace, view_type=view)])
        for view in ("ActiveOnly", "ArchivedOnly", "All")
    ]
    assert listed == [("ActiveOnly", ["a", "c"]), ("ArchivedOnly", ["b"]), ("All", ["a", "b", "c"])]
    assert [each.name for each in Experiment.list(workspace, tags={"kind": "x"})] == ["c"]
    assert [each.name for each in Experiment.list(workspace, experiment_name="a")] == ["a"]
    with pytest.raises(UserErrorException, match="view_type"):
        Experiment.list(workspace, view_type="Some")


def test_an_experiment_is_archived_and_comes_back(experiment):
    experiment.archive()
    assert experiment.archived_time is not None
    experiment.reactivate()
    assert (experiment.archived, experiment.archived_time) == (False, None)


def test_tags_of_an_experiment(experiment, workspace):
    experiment.tag("a", 1)
    experiment.set_tags({"b": "x", "c": None})
    experiment.remove_tags(["a"])
    assert Experiment(workspace, experiment.name).tags == {"b": "x", "c": None}


def test_what_is_told_of_an_experiment(experiment):
    assert repr(experiment) == f"Experiment(Name: day1-experiment,\nWorkspace: {experiment.workspace.name})"
    assert experiment.get_portal_url().endswith("/experiments/day1-experiment")
    assert re.fullmatch(r"[0-9a-f-]{36}", experiment.id)
    assert experiment.id == Experiment(experiment.workspace, experiment.name).id


def test_runs_are_a_generator_newest_first_without_children(experiment):
    first, second = (experiment.start_logging(snapshot_directory=None) for _ in range(2))
    child = second.child_run()
    second.tag("k", "v")
    first.add_properties({"p": "1"})
    assert isinstance(experiment.get_runs(), types.GeneratorType)
    for asked, runs in [
        ({}, [second, first]),
        ({"include_children": True}, [child, second, first]),
        ({"tags": "k"}, [second]),
        ({"tags": {"k": "v"}}, [second]),
        ({"properties": {"p": "1"}}, [first]),
        ({"type": "azureml.scriptrun"}, []),
    ]:
        assert [run.id for run in experiment.get_runs(**asked)] == [run.id for run in runs], asked


@pytest.mark.parametrize("config", [None, "train.py", {"script": "train.py"}])
def test_what_cannot_be_submitted_is_refused(experiment, config):
    with pytest.raises(UserErrorException, match="cannot be submitted"):
        experiment.submit(config)


# -- submitted runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def submit(experiment):
    def submit(text, **more):
        Path("src").mkdir(exist_ok=True)
        Path("src/train.py").write_text(text)
        return experiment.submit(config=ScriptRunConfig(source_directory="src", script="train.py", **more))

    return submit


def test_ids_of_submitted_runs_are_v1s(submit):
    run = submit("print('hello')")
    assert re.fullmatch(r"day1-experiment_\d{10}_[0-9a-f]{8}", run.id)
    assert (run.type, run.get_details()["target"]) == ("azureml.scriptrun", "local")


def test_the_progress_of_a_run_is_printed_in_v1s_form(submit, capsys, monkeypatch):
    monkeypatch.setenv("AZUREML_RUN_POLLING_INTERVAL_MIN", "2")
    monkeypatch.setenv("AZUREML_RUN_POLLING_INTERVAL_MAX", "60")
    run = submit("print('hello')")
    details = run.wait_for_completion(show_output=True)
    url = run.get_portal_url()
    assert capsys.readouterr().out == (
        f"RunId: {run.id}\nWeb View: {url}\n\n"
        "Streaming user_logs/std_log.txt\n" + "=" * 31 + "\n\nhello\n\n"
        f"Execution Summary\n=================\nRunId: {run.id}\nWeb View: {url}\n\n"
    )
    assert details == run.get_details()


def test_without_output_nothing_is_printed(submit, capsys):
    submit("print('hello')").wait_for_completion()
    assert capsys.readouterr().out == ""


def test_a_failed_run_raises_or_prints_its_error(submit, capsys):
    run = submit("raise ValueError('it broke')")
    with pytest.raises(ActivityFailedException) as told:
        run.wait_for_completion()
    assert told.value.hint == "it failed in train.py, line 1: raise ValueError('it broke')"
    head, _, told_error = told.value.message.partition("\n")
    assert head == "Activity Failed:"
    details = run.wait_for_completion(raise_on_error=False)
    frames = details["error"]["error"].pop("details")["frames"]
    assert frames[-1]["text"] == "raise ValueError('it broke')"
    assert json.loads(told_error) == details["error"]
    assert details["status"] == "Failed"
    assert details["error"]["error"]["message"] == "ValueError: it broke"
    assert capsys.readouterr().out == f"\nError:\n{json.dumps(details['error'], indent=4)}\n"


def test_a_canceled_run_raises_nothing(submit):
    run = submit("import time; time.sleep(600)")
    run.cancel()
    assert run.wait_for_completion()["status"] == "Canceled"


def test_an_interrupt_is_told_and_the_run_goes_on(submit, monkeypatch):
    run = submit("import time; time.sleep(600)")

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", interrupted)
        with pytest.raises(ExperimentExecutionException, match="output streaming interrupted"):
            run.wait_for_completion(show_output=True)
    assert run.get_status() != "Canceled"
    run.cancel()
    run.wait_for_completion()


def test_a_child_is_submitted_below_its_run(submit, experiment):
    parent = experiment.start_logging(snapshot_directory=None)
    Path("src").mkdir()
    Path("src/train.py").write_text("from azureml.core import Run\nprint(Run.get_context().parent.id)")
    run = parent.submit_child(ScriptRunConfig("src", "train.py"), tags={"k": 1})
    run.wait_for_completion()
    assert (run.parent.id, run.tags, [child.id for child in parent.get_children()]) == (parent.id, {"k": "1"}, [run.id])
    assert run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"] == parent.id + "\n"


def test_details_of_a_submitted_run_have_its_definition(submit):
    run = submit("print('hello')", arguments=["--rate", 0.1, "--n", 3])
    run.wait_for_completion()
    details = run.get_details()
    definition = details["runDefinition"]
    assert (definition["script"], definition["arguments"]) == ("train.py", ["--rate", 0.1, "--n", 3])
    assert (definition["target"], definition["framework"], definition["communicator"]) == ("local", "Python", "None")
    assert definition["environment"]["name"]
    assert details["properties"]["ContentSnapshotId"] == run.get_snapshot_id()
    assert "azureml-logs/70_driver_log.txt" in details["logFiles"]
