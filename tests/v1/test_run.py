"""``Run``: what v1's scripts and notebooks rely on."""

import json
import os
import re
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

from amlnb import Experiment, Run, Workspace
from amlnb.errors import NotServedException, SnapshotException, UserErrorException
from tests.v1.signatures import signature_of

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create()[0], "e")


@pytest.fixture
def run(experiment):
    return experiment.start_logging(snapshot_directory=None)


# Where ours takes more, that stands last.
@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("__init__", "(experiment, run_id, outputs=None, **kwargs)"),
        ("log", "(name, value, description='', step=None)"),
        ("log_list", "(name, value, description='', step=None)"),
        ("log_row", "(name, description=None, **kwargs)"),
        ("log_table", "(name, value, description='')"),
        ("log_image", "(name, path=None, plot=None, description='', step=None)"),
        ("wait_for_completion", "(show_output=False, wait_post_processing=False, raise_on_error=True)"),
        ("get_context", "(allow_offline=True, used_for_context_manager=False, **kwargs)"),
        ("get_metrics", "(name=None, recursive=False, run_type=None, populate=False)"),
        (
            "register_model",
            (
                "(model_name, model_path=None, tags=None, properties=None, model_framework=None, "
                "model_framework_version=None, description=None, datasets=None, sample_input_dataset=None, "
                "sample_output_dataset=None, resource_configuration=None, **kwargs)"
            ),
        ),
        ("complete", "(_set_status=True)"),
        ("fail", "(error_details=None, error_code=None, _set_status=True)"),
        ("upload_file", "(name, path_or_stream, datastore_name=None)"),
        ("upload_folder", "(name, path, datastore_name=None)"),
        ("download_file", "(name, output_file_path=None, _validate_checksum=False)"),
        (
            "download_files",
            (
                "(prefix=None, output_directory=None, output_paths=None, batch_size=100, append_prefix=True, "
                "timeout_seconds=None)"
            ),
        ),
        ("tag", "(key, value=None)"),
        ("get_children", "(recursive=False, tags=None, properties=None, type=None, status=None, _rehydrate_runs=True)"),
        ("child_run", "(name=None, run_id=None, outputs=None)"),
        ("create_children", "(count=None, tag_key=None, tag_values=None)"),
        ("submit_child", "(config, tags=None, **kwargs)"),
        (
            "list",
            (
                "(experiment, type=None, tags=None, properties=None, status=None, include_children=False, "
                "_rehydrate_runs=True)"
            ),
        ),
        ("get", "(workspace, run_id)"),
        ("restore_snapshot", "(snapshot_id=None, path=None)"),
        ("get_submitted_run", "(**kwargs)"),
        ("add_properties", "(properties)"),
        ("get_secret", "(name)"),
        ("get_all_logs", "(destination=None)"),
    ],
)
def test_signatures_are_v1s(name, signature):
    assert signature_of(getattr(Run, name)) == signature


# -- ids and kin -------------------------------------------------------------------------------------------------------


def test_ids_of_runs_of_this_process_are_uuids(run):
    assert UUID.fullmatch(run.id)
    assert UUID.fullmatch(run.child_run().id)
    assert (run.type, run.number, run.parent) == (None, 1, None)
    assert Run.get_submitted_run().id.startswith("OfflineRun_")


def test_a_run_is_listed_and_got_by_its_class(experiment, run):
    done = experiment.start_logging(snapshot_directory=None)
    done.tag("k", "v")
    done.complete()
    assert isinstance(Run.list(experiment), types.GeneratorType)
    assert [each.id for each in Run.list(experiment)] == [done.id, run.id]
    assert [each.id for each in Run.list(experiment, status="Completed")] == [done.id]
    assert [each.id for each in Run.list(experiment, tags={"k": "v"})] == [done.id]
    assert Run.get(experiment.workspace, run.id).id == run.id
    with pytest.raises(UserErrorException, match="not of a str"):
        Run("e", run.id)


def test_children_are_a_generator_newest_first_and_are_filtered(run):
    first, second = run.child_run("first"), run.child_run("second")
    second.tag("kind", "x")
    second.add_properties({"p": 1})
    below = second.child_run("below")
    first.complete()
    assert isinstance(run.get_children(), types.GeneratorType)
    for asked, names in [
        ({}, ["second", "first"]),
        ({"recursive": True}, ["below", "second", "first"]),
        ({"tags": "kind"}, ["second"]),
        ({"tags": {"kind": "x"}}, ["second"]),
        ({"tags": {"kind": "y"}}, []),
        ({"properties": {"p": "1"}}, ["second"]),
        ({"status": "Completed"}, ["first"]),
        ({"type": "azureml.scriptrun"}, []),
    ]:
        assert [child.display_name for child in run.get_children(**asked)] == names, asked
    assert below.parent.id == second.id
    assert first.get_status() == "Completed"
    assert second.get_status() == "Running"


def test_many_children_are_made_by_count_or_by_a_tag(run):
    assert [child.get_tags() for child in run.create_children(count=3)] == [
        {"azureml.batch_child_number": str(number)} for number in range(3)
    ]
    assert [child.tags for child in run.create_children(tag_key="fold", tag_values=["a", 2])] == [
        {"fold": "a"}, {"fold": "2"},
    ]  # fmt: skip
    assert len(list(run.get_children())) == 5


@pytest.mark.parametrize(
    "asked", [{}, {"count": 1, "tag_values": [1]}, {"count": 101}, {"count": 0}, {"count": "3"}, {"tag_values": []}]
)
def test_children_that_cannot_be_made_are_refused(run, asked):
    with pytest.raises(UserErrorException):
        run.create_children(**asked)
    assert list(run.get_children()) == []


# -- tags and properties -----------------------------------------------------------------------------------------------


def test_tags_change_and_are_texts(run):
    run.tag("a")
    run.tag("b", 1)
    run.set_tags({"c": 2.5})
    run.tag("b", "now this")
    assert run.get_tags() == {"a": None, "b": "now this", "c": "2.5"}
    run.remove_tags(["a", "b"])
    run.remove_tags("c")
    assert run.tags == {}


def test_a_property_never_changes(run):
    run.add_properties({"p": 1})
    run.add_properties({"p": "1", "q": 2})
    with pytest.raises(UserErrorException, match="the property 'p' already, with the value '1'; it cannot become '3'"):
        run.add_properties({"p": 3, "r": 4})
    assert run.get_properties() == run.properties == {"p": "1", "q": "2"}


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_metrics_have_v1s_shapes(run):
    for value in (1, 2.5, 3):
        run.log("several", value, step=value)
    run.log("once", 7)
    run.log_list("one of a list", [7])
    run.log_list("lists", [1, 2])
    run.log_list("lists", np.array([3, 4]))
    run.log_list("generated", (x for x in "ab"))
    run.log_list("empty", [])
    run.log_row("row", x=1, y="a")
    for number in range(2):
        run.log_row("rows", x=number, y=np.int32(number))
    run.log_table("table", {"x": [1, 2], "y": [3, 4]})
    run.log_table("one row", {"x": [1]})
    run.log_table("no rows", {})
    for name, value in {
        "none": None, "bool": np.bool_(True), "text": "t", "int": np.int64(5), "float": np.float32(0.5), "huge": 2**100,
        "tuple": (1, 2), "dict": {"a": 1}, "inf": float("inf"),
    }.items():  # fmt: skip
        run.log(name, value)
    assert run.get_metrics() == {
        "several": [1.0, 2.5, 3.0],
        "once": 7,
        "one of a list": 7,
        "lists": [1, 2, 3, 4],
        "generated": ["a", "b"],
        "row": {"x": 1, "y": "a"},
        "rows": {"x": [0, 1], "y": [0, 1]},
        "table": {"x": [1, 2], "y": [3, 4]},
        "one row": {"x": 1},
        "none": None,
        "bool": True,
        "text": "t",
        "int": 5,
        "float": 0.5,
        "huge": 2**100,
        "tuple": "(1, 2)",
        "dict": "{'a': 1}",
        "inf": float("inf"),
    }
    assert run.get_metrics("once") == run.get_metrics(name="once") == {"once": 7}
    assert run.get_metrics("missing") == {}


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.log("m", [1, 2]),
        lambda run: run.log("m", range(3)),
        lambda run: run.log("m", (x for x in [1])),
        lambda run: run.log_list("m", [[1]]),
        lambda run: run.log_row("m", x=[1]),
        lambda run: run.log_table("m", {"x": [1], "y": [1, 2]}),
        lambda run: run.log_table("m", {"x": np.array([1])}),
        lambda run: run.log_image("m"),
        lambda run: run.log_image("m", path="a.png", plot=1),
        lambda run: run.log_confusion_matrix("m", "{not json"),
    ],
)
def test_wrong_values_are_refused(run, call):
    with pytest.raises(UserErrorException, match=r"(?s).*hint: "):
        call(run)
    assert run.get_metrics() == {}


def test_metrics_of_a_subtree_are_by_run_and_without_empty_ones(run):
    child, empty = run.child_run(), run.child_run()
    below = child.child_run()
    below.log("x", 1)
    run.log("y", 2)
    child.log("y", 3)
    assert run.get_metrics(recursive=True) == {run.id: {"y": 2}, child.id: {"y": 3}, below.id: {"x": 1}}
    assert run.get_metrics("x", recursive=True) == {below.id: {"x": 1}}
    assert run.get_metrics(recursive=True, run_type="azureml.scriptrun") == {}
    assert empty.get_metrics(recursive=True) == {}


@pytest.mark.parametrize("kind", ["confusion_matrix", "accuracy_table", "residuals", "predictions"])
@pytest.mark.parametrize("form", [dict, json.dumps])
def test_documents_are_files_of_the_run(run, kind, form):
    document = {"schema_type": kind, "schema_version": "1.0.0", "data": {"x": [1, 2]}}
    getattr(run, f"log_{kind}")("doc", form(document))
    assert run.get_file_names() == ["doc"]
    assert re.fullmatch(r"aml://artifactId/ExperimentRun/[^/]+/doc", run.get_metrics()["doc"])
    run.download_file("doc", "got.json")
    assert json.loads(Path("got.json").read_text()) == document


def test_pictures_are_files_of_the_run(run):
    from matplotlib.figure import Figure

    Path("a.png").write_bytes(b"png")
    run.log_image("by path", path="a.png")
    run.log_image("drawn", plot=Figure())
    names = run.get_file_names()
    assert names[0] == "a.png"
    assert re.fullmatch(r"drawn_\d+\.png", names[1])


# -- files -------------------------------------------------------------------------------------------------------------


def test_outputs_are_kept_when_the_run_ends(experiment):
    run = experiment.start_logging(snapshot_directory=None)
    Path("outputs/deep").mkdir()
    Path("outputs/deep/a.txt").write_text("a")
    Path("outputs/b.txt").write_text("b")
    Path("b").write_text("uploaded before")
    run.upload_file("outputs/b.txt", "b")
    assert run.get_file_names() == ["outputs/b.txt"]
    run.complete()
    assert run.get_file_names() == ["outputs/b.txt", "outputs/deep/a.txt"]
    run.download_file("outputs/b.txt", "got")
    assert Path("got").read_text() == "uploaded before"


@pytest.mark.parametrize("end", [lambda run: run.fail("x"), lambda run: run.__exit__(None, None, None)])
def test_outputs_are_kept_however_the_run_ends(experiment, end):
    run = experiment.start_logging(snapshot_directory=None, outputs="elsewhere")
    Path("elsewhere/a").write_text("a")
    end(run)
    assert run.get_file_names() == ["outputs/a"]


def test_a_name_that_is_taken_is_a_conflict(run):
    Path("a").write_text("a")
    run.upload_file("outputs/a", "a")
    with pytest.raises(UserErrorException, match="Resource Conflict"):
        run.upload_file(name="outputs/a", path_or_stream="a")


def test_a_missing_file_is_told_with_those_that_are_there(run):
    Path("a").write_text("a")
    run.upload_file("outputs/abc.txt", "a")
    with pytest.raises(UserErrorException, match=r"has no file 'outputs/abd.txt'; it has: outputs/abc\.txt") as told:
        run.download_file("outputs/abd.txt")
    assert told.value.hint == "did you mean 'outputs/abc.txt'?"
    assert not Path("abd.txt").exists()


def test_all_logs_are_copied_into_a_folder(run):
    Path("a").write_text("a")
    run.upload_file("logs/a.txt", "a")
    run.upload_file("outputs/b.txt", "a")
    assert run.get_all_logs("got") == [os.path.abspath("got/logs/a.txt")]
    (temporary,) = run.get_all_logs()
    assert Path(temporary).read_text() == "a"


def test_the_snapshot_comes_back_as_a_zip(experiment, run, tmp_path):
    Path("src/deep").mkdir(parents=True)
    Path("src/a.py").write_text("x = 1")
    Path("src/deep/run.sh").write_text("#!/bin/sh")
    Path("src/deep/run.sh").chmod(0o755)
    kept = experiment.start_logging(snapshot_directory="src")
    path = kept.restore_snapshot(path="got")
    assert path == str(tmp_path / "got" / f"{kept.get_snapshot_id()}.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["a.py", "deep/run.sh"]
        assert archive.read("a.py") == b"x = 1"
        assert archive.getinfo("deep/run.sh").external_attr >> 16 & 0o777 == 0o755
    assert os.path.isabs(kept.restore_snapshot())
    assert kept.get_details()["properties"]["ContentSnapshotId"] == kept.get_snapshot_id()
    with pytest.raises(UserErrorException, match="no snapshot was taken"):
        run.restore_snapshot()
    with pytest.raises(UserErrorException, match="has no snapshot 'x'"):
        kept.restore_snapshot("x")


def test_what_is_too_large_for_a_snapshot_is_told_in_v1s_words(experiment, monkeypatch):
    monkeypatch.setenv("AMLNB_SNAPSHOT_MAX_BYTES", "10")
    Path("large").write_bytes(b"x" * 11)
    with pytest.raises(SnapshotException) as told:
        experiment.start_logging()
    assert "While attempting to take snapshot of" in told.value.message
    assert "Please see http://aka.ms/aml-largefiles on how to work with large files." in told.value.message
    assert "snapshot_directory=None" in told.value.hint


# -- life --------------------------------------------------------------------------------------------------------------


def test_start_logging_makes_outputs_takes_a_snapshot_and_runs(experiment):
    Path("code.py").write_text("x = 1")
    run = experiment.start_logging()
    assert (run.get_status(), run.status, Path("outputs").is_dir()) == ("Running", "Running", True)
    assert run.get_snapshot_id()
    assert run.get_detailed_status() == {"status": "Running", "details": None}


def test_a_block_keeps_what_is_printed(experiment, capsys):
    before = sys.stdout, sys.stderr
    for _ in range(2):
        with experiment.start_logging(snapshot_directory=None) as run:
            print("to stdout")
            print("to stderr", file=sys.stderr)
            Path("logs/extra.txt").write_text("extra")
        assert (sys.stdout, sys.stderr) == before
        assert run.get_file_names() == ["logs/extra.txt", "logs/user_log.txt"]
        run.download_file("logs/user_log.txt", "got")
        assert Path("got").read_text() == "to stdout\nto stderr\n"
    assert Path("logs/user_log.txt").read_text() == "to stdout\nto stderr\n" * 2
    assert capsys.readouterr().out == "to stdout\n" * 2


def test_without_a_block_nothing_that_is_printed_is_kept(run):
    print("to stdout")
    run.complete()
    assert run.get_file_names() == []
    assert not Path("logs").exists()


def test_blocks_within_blocks_keep_what_is_printed_in_each(run):
    with run:
        print("outer")
        with run.child_run() as child:
            print("inner")
        print("outer again")
    run.download_file("logs/user_log.txt", "outer")
    child.download_file("logs/user_log.txt", "inner")
    assert Path("outer").read_text() == "outer\ninner\nouter again\n"
    assert Path("inner").read_text() == "inner\n"


def test_an_exception_in_a_block_is_the_runs_error_and_in_its_log(run):
    with pytest.raises(ValueError, match="it broke"), run:
        raise ValueError("it broke")
    details = run.get_details()
    error = details["error"]["error"]
    assert (details["status"], error["code"], error["message"]) == ("Failed", "UserError", "ValueError: it broke")
    assert error["debug_type"] == "ValueError"
    assert "in test_an_exception_in_a_block" in error["debug_stack_trace"]
    run.download_file("logs/user_log.txt", "got")
    assert Path("got").read_text().endswith("ValueError: it broke\n")


@pytest.mark.parametrize(
    ("code", "state"), [(0, "Completed"), (None, "Completed"), (1, "Failed"), ("message", "Failed")]
)
def test_sys_exit_ends_a_block(run, code, state):
    def block():
        with run:
            sys.exit(code)

    if state == "Completed":
        block()
    else:
        with pytest.raises(SystemExit):
            block()
    assert run.get_status() == state


def test_a_client_ends_a_run_that_another_object_began(experiment, run):
    Run(experiment, run.id).complete()
    assert run.get_status() == "Completed"
    other = experiment.start_logging(snapshot_directory=None)
    Run(experiment, other.id).fail(ValueError("no"), error_code="Mine")
    assert other.get_details()["error"]["error"]["code"] == "Mine"
    Run(experiment, other.id).complete()
    assert other.get_status() == "Failed"


def test_a_run_of_this_process_is_canceled_at_once(run):
    run.cancel()
    assert run.get_status() == "Canceled"


# -- what is told ------------------------------------------------------------------------------------------------------


def test_details_have_v1s_keys(run):
    details = run.get_details()
    assert list(details) == [
        "runId", "target", "status", "startTimeUtc", "properties", "inputDatasets", "outputDatasets", "runDefinition",
        "logFiles", "submittedBy", "warnings",
    ]  # fmt: skip
    assert (details["runId"], details["target"], details["status"]) == (run.id, "sdk", "Running")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", details["startTimeUtc"])
    run.fail("x")
    ended = run.get_details()
    assert ended["endTimeUtc"] >= ended["startTimeUtc"]
    assert ended["error"] == {"error": {"code": "UserError", "message": "x"}}
    assert {"script", "command", "arguments", "target", "framework", "communicator", "environment"} <= set(
        ended["runDefinition"]
    )


def test_details_with_logs_hold_the_text_of_the_logs(run):
    with run:
        print("hello")
    assert run.get_details()["logFiles"]["logs/user_log.txt"].endswith("user_log.txt")
    assert run.get_details_with_logs()["logFiles"] == {"logs/user_log.txt": "hello\n"}


def test_repr_and_page(run):
    assert repr(run) == f"Run(Experiment: e,\nId: {run.id},\nType: None,\nStatus: Running)"
    assert run.id in run._repr_html_()
    assert run.get_portal_url().endswith(run.id)


def test_no_data_were_handed_to_it(run):
    assert (run.input_datasets, run.output_datasets) == ({}, {})


def test_secrets_are_those_of_the_workspace(run):
    run.experiment.workspace.get_default_keyvault().set_secret(name="token", value="abc")
    assert run.get_secret(name="token") == "abc"
    assert run.get_secrets(secrets=["token"]) == {"token": "abc"}


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.explanation_manager,
        lambda run: run.counterfactual_manager,
        lambda run: run._get_outputs_datapath(),
    ],
)
def test_what_is_not_served_says_what_to_do_instead(run, call):
    with pytest.raises(NotServedException) as told:
        call(run)
    assert told.value.hint


def test_a_file_is_downloaded_into_a_folder_that_is_named_as_one(run, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    run.upload_file("dir/a.txt", str(tmp_path / "a.txt"))
    run.download_file("dir/a.txt", f"{tmp_path}/new/")
    assert (tmp_path / "new" / "a.txt").read_text() == "x"
