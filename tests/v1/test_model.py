"""``Model``: registering from a run and from this machine, finding, reading, changing, deleting."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb import Experiment, Workspace
from amlnb.api.model import Model
from amlnb.api.resource_configuration import ResourceConfiguration
from amlnb.core.models import check_name
from amlnb.engine.gc import collect_garbage
from amlnb.errors import (
    FormatError,
    ModelPathNotFoundException,
    NotServedException,
    UserErrorException,
    WebserviceException,
)
from amlnb.store.models import latest_model, model_names, model_versions, read_model
from amlnb.tracking import context, faults
from amlnb.tracking import models as registry
from amlnb.tracking.edits import add_edit
from tests.v1.signatures import signature_of


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create()[0]


@pytest.fixture
def run(workspace):
    return Experiment(workspace, "training").start_logging(snapshot_directory=None)


@pytest.fixture
def weights(workspace):
    Path("weights").mkdir()
    Path("weights/a.bin").write_bytes(b"a")
    Path("weights/deep").mkdir()
    Path("weights/deep/b.bin").write_bytes(b"b")
    return "weights"


# -- from a run --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["outputs/model.pkl", "./outputs/model.pkl", "outputs//model.pkl", "outputs/x/../model.pkl"]
)
def test_a_file_of_a_run_becomes_the_next_version(run, workspace, path, tmp_path):
    Path("m.pkl").write_bytes(b"weights")
    run.upload_file("outputs/model.pkl", "m.pkl")
    models = [run.register_model(model_name="my-model", model_path=path) for _ in range(2)]
    assert [(model.name, model.version, model.id) for model in models] == [
        ("my-model", 1, "my-model:1"),
        ("my-model", 2, "my-model:2"),
    ]
    assert (models[0].run_id, models[0].run.id, models[0].experiment_name) == (run.id, run.id, "training")
    assert models[0].url.startswith("aml://asset/")
    assert Path(models[1].download("got")).read_bytes() == b"weights"
    assert Path("got/model.pkl").exists()


def test_a_folder_of_a_run_is_one_model(run):
    for name in ("outputs/net/a.bin", "outputs/net/deep/b.bin"):
        Path("m").write_text(name)
        run.upload_file(name, "m")
    path = run.register_model("net", "outputs/net/").download("got")
    assert path == "got/net"
    assert Path("got/net/deep/b.bin").read_text() == "outputs/net/deep/b.bin"


def test_all_outputs_are_one_model(run):
    Path("outputs/model.pt").write_text("x")
    run.complete()
    assert run.register_model("pt-dnn", "outputs/").download("got") == "got/outputs"


def test_outputs_can_be_registered_before_the_run_ends(run):
    Path("outputs/model.pt").write_text("x")
    assert run.register_model("pt", "outputs/model.pt").version == 1


def test_without_a_path_the_name_is_the_path(run):
    Path("m").write_text("x")
    run.upload_file("model.pkl", "m")
    assert run.register_model("model.pkl").version == 1


def test_a_missing_path_is_told_with_what_is_there(run):
    Path("m").write_text("x")
    run.upload_file("outputs/model.pkl", "m")
    with pytest.raises(ModelPathNotFoundException, match=r"it has: outputs/model\.pkl") as told:
        run.register_model("m", "outputs/modl.pkl")
    assert told.value.hint == "did you mean 'outputs/model.pkl'?"


@pytest.mark.parametrize("name", ["", "-a", "a b", "ä", "a/b", "a" * 256, "a:1"])
def test_a_name_that_cannot_be_used_is_refused(run, workspace, name):
    Path("m").write_text("x")
    with pytest.raises(WebserviceException, match="cannot be the name of a model"):
        run.register_model(name, "m")
    with pytest.raises(WebserviceException, match="cannot be the name of a model"):
        Model.register(workspace, "m", name)


def test_all_that_is_told_of_a_model_is_kept(run, workspace):
    Path("m").write_text("x")
    run.upload_file("m", "m")
    run.register_model(
        "m",
        "m",
        tags={"area": "digits", "n": 1},
        properties={"p": "q"},
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="1.4",
        description="a model",
        datasets=[("training data", "set-1")],
    )
    model = Model(workspace, "m")
    assert (model.tags, model.properties) == ({"area": "digits", "n": "1"}, {"p": "q"})
    assert (model.model_framework, model.model_framework_version) == ("ScikitLearn", "1.4")
    assert (model.description, model.datasets) == ("a model", {"training data": ["set-1"]})
    assert model.created_time.tzinfo is not None
    assert model.serialize()["id"] == "m:1"
    assert repr(model).endswith("name=m, id=m:1, version=1, tags={'area': 'digits', 'n': '1'}, properties={'p': 'q'})")


def test_what_a_model_needs_is_kept(workspace, weights):
    needs = ResourceConfiguration(cpu=1, memory_in_gb=0.5)
    model = Model.register(workspace, weights, "m", resource_configuration=needs, sample_input_dataset="set-1")
    assert model.resource_configuration == {"cpu": 1, "memory_in_gb": 0.5, "gpu": None}
    model.update(resource_configuration=ResourceConfiguration(gpu=1), sample_output_dataset="set-2")
    assert Model(workspace, "m").resource_configuration["gpu"] == 1
    assert (model.sample_input_dataset, model.sample_output_dataset) == ("set-1", "set-2")
    with pytest.raises(UserErrorException, match="cpu is a number above 0, not 'one'"):
        ResourceConfiguration(cpu="one")


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (
            "__init__",
            (
                "(workspace, name=None, id=None, tags=None, properties=None, version=None, run_id=None, "
                "model_framework=None, expand=True, **kwargs)"
            ),
        ),
        ("get_model_path", "(model_name, version=None, _workspace=None)"),
        (
            "register",
            (
                "(workspace, model_path, model_name, tags=None, properties=None, description=None, datasets=None, "
                "model_framework=None, model_framework_version=None, child_paths=None, sample_input_dataset=None, "
                "sample_output_dataset=None, resource_configuration=None)"
            ),
        ),
        (
            "list",
            (
                "(workspace, name=None, tags=None, properties=None, run_id=None, latest=False, dataset_id=None, "
                "expand=True, page_count=255, model_framework=None)"
            ),
        ),
        ("download", "(target_dir='.', exist_ok=False, exists_ok=None)"),
        (
            "deploy",
            (
                "(workspace, name, models, inference_config=None, deployment_config=None, deployment_target=None, "
                "overwrite=False, show_output=False)"
            ),
        ),
        (
            "profile",
            (
                "(workspace, profile_name, models, inference_config, input_dataset, cpu=None, memory_in_gb=None, "
                "description=None)"
            ),
        ),
    ],
)
def test_signatures_are_v1s(name, signature):
    assert signature_of(getattr(Model, name)) == signature


# -- from this machine -------------------------------------------------------------------------------------------------


def test_a_path_of_this_machine_is_registered_and_told(workspace, weights, capsys):
    model = Model.register(workspace=workspace, model_path=weights, model_name="w")
    assert capsys.readouterr().out == "Registering model w\n"
    assert (model.version, model.run_id, model.run, model.model_framework) == (1, None, None, "Custom")
    Path("weights/a.bin").write_bytes(b"changed since")
    assert Path(model.download("got")) == Path("got/weights")
    assert Path("got/weights/a.bin").read_bytes() == b"a"


def test_of_a_folder_some_files_may_be_chosen(workspace, weights):
    model = Model.register(workspace, weights, "w", child_paths=["deep"])
    model.download("got")
    assert [path.name for path in Path("got").rglob("*.bin")] == ["b.bin"]
    with pytest.raises(WebserviceException, match=r"has no 'none'; it has: a\.bin"):
        Model.register(workspace, weights, "w", child_paths=["none"])


def test_a_missing_path_of_this_machine_is_told_with_what_is_beside_it(workspace, weights):
    with pytest.raises(WebserviceException, match=r"no file or folder 'weights/c\.bin'.* has: a\.bin, deep"):
        Model.register(workspace, "weights/c.bin", "w")
    assert Model.list(workspace) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"workspace": "ws"}, "of a Workspace, not of 'ws'"),
        ({"model_path": 5}, "model_path is a path of this machine, not 5"),
        ({"tags": ["a"]}, r"the tags of a model are a dict, not \['a'\]"),
        ({"properties": "p"}, "the properties of a model are a dict, not 'p'"),
        ({"datasets": ["d"]}, r"\(purpose, dataset\) pairs, not \['d'\]"),
        ({"model_name": 3}, "3 cannot be the name of a model"),
    ],
)
def test_what_is_of_the_wrong_type_is_refused(workspace, weights, wrong, told):
    with pytest.raises(WebserviceException, match=told):
        Model.register(**{"workspace": workspace, "model_path": weights, "model_name": "m", **wrong})
    assert Model.list(workspace) == []


def test_a_file_that_cannot_be_read_is_told(workspace, weights):
    # Root reads every file, whatever its mode; nobody copies a pipe.
    Path("weights/a.bin").unlink()
    os.mkfifo("weights/a.bin")
    with pytest.raises(UserErrorException, match=r"cannot be kept: .*a\.bin"):
        Model.register(workspace, weights, "w")
    assert Model.list(workspace) == []


# -- finding -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def several(workspace, weights):
    Model.register(workspace, weights, "a", tags={"kind": "old"})
    Model.register(workspace, weights, "a", tags={"kind": "new"}, properties={"p": "1"})
    Model.register(workspace, weights, "b", model_framework="Onnx")
    return workspace


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ({"name": "a"}, 2),
        ({"name": "a", "version": 1}, 1),
        ({"name": "a", "version": "1"}, 1),
        ({"id": "a:1"}, 1),
        ({"name": "a", "tags": ["kind"]}, 2),
        ({"name": "a", "tags": [["kind", "old"]]}, 1),
        ({"name": "a", "tags": {"kind": "old"}}, 1),
        ({"name": "a", "properties": ["p"]}, 2),
    ],
)
def test_a_model_is_found(several, asked, version):
    assert Model(several, **asked).version == version


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "aa"}, "did you mean 'a'"),
        ({"name": "nothing-like-it"}, "the workspace has: a, b"),
        ({"name": "a", "version": 3}, "the model 'a' has the versions 1, 2"),
        ({"name": "a", "version": "x"}, "is no version of a model"),
        ({"id": "a"}, "is no id of a model"),
        ({"name": "a", "run_id": "r"}, "the model 'a' has the versions"),
        ({"version": 1}, "a version is that of a model's name"),
        ({"name": "a", "version": "9" * 5000}, "is no version of a model"),
        ({"id": "a:1", "name": "b"}, "is not that of the name 'b'"),
        ({"id": "a:1", "version": 2}, "the version 2"),
        ({"name": 5}, "5 cannot be the name of a model"),
        ({"name": ["a"], "version": 1}, "cannot be the name of a model"),
        ({"name": "a", "tags": 5}, "tags are a list of keys"),
        ({"name": "a", "properties": [["a", "b", "c"]]}, "properties are a list of keys"),
    ],
)
def test_what_is_not_there_is_told(several, asked, told):
    with pytest.raises(WebserviceException) as error:
        Model(several, **asked)
    assert told in error.value.told


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["b:1", "a:2", "a:1"]),
        ({"name": "a"}, ["a:2", "a:1"]),
        ({"latest": True}, ["b:1", "a:2"]),
        ({"tags": ["kind"]}, ["a:2", "a:1"]),
        ({"tags": [["kind", "new"]]}, ["a:2"]),
        ({"properties": [["p", "1"]]}, ["a:2"]),
        ({"model_framework": "Onnx"}, ["b:1"]),
        ({"run_id": "none"}, []),
        ({"name": "none"}, []),
    ],
)
def test_models_are_listed_newest_first(several, asked, found):
    assert [model.id for model in Model.list(several, **asked)] == found


@pytest.mark.parametrize(
    ("content", "told"), [("{", "is damaged"), ('{"name": "other"}', "is damaged"), ('{"format": 99}', "has format 99")]
)
def test_a_record_that_cannot_be_read_is_told_and_the_others_are_there(several, capsys, content, told):
    Path(Model(several, "a", version=1)._facts.directory, "model.json").write_text(content)
    with pytest.raises(FormatError, match=told):
        Model(several, "a", version=1)
    assert Model(several, "a").version == 2
    assert [model.id for model in Model.list(several)] == ["b:1", "a:2"]
    assert told in capsys.readouterr().out


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_download_replaces_only_where_that_is_said(several):
    model = Model(several, "a")
    model.download("got")
    with pytest.raises(WebserviceException, match="is there already") as told:
        model.download("got")
    assert told.value.hint == "pass exist_ok=True to replace it"
    Path("got/weights/left.over").write_text("x")
    assert model.download("got", exist_ok=True) == "got/weights"
    assert not Path("got/weights/left.over").exists()


def test_outside_of_a_run_the_path_is_that_of_the_cache_and_then_of_the_folder(several):
    with pytest.raises(WebserviceException, match=r"neither in azureml-models/a nor is it \./a"):
        Model.get_model_path("a")
    Path("a").write_text("x")
    assert Model.get_model_path("a") == "./a"
    Model(several, "a", version=1).download("azureml-models/a/1")
    assert Model.get_model_path("a") == "azureml-models/a/1/weights"
    assert Model.get_model_path("a", version=2) == "./a"


def test_with_a_workspace_the_newest_version_is_brought(several):
    for _ in range(2):
        assert Model.get_model_path("a", _workspace=several) == "azureml-models/a/2/weights"
    assert Path("azureml-models/a/2/weights/a.bin").read_bytes() == b"a"
    assert Model.get_model_path("a", 1, several) == "azureml-models/a/1/weights"


# -- changes -----------------------------------------------------------------------------------------------------------


def test_tags_and_descriptions_change_and_properties_do_not(several):
    model = Model(several, "a")
    model.add_tags({"more": 1})
    model.remove_tags(["kind"])
    model.add_properties({"p": 1, "q": 2})
    with pytest.raises(WebserviceException, match="the property 'p' already, with the value '1'"):
        model.add_properties({"p": 2, "r": 3})
    model.update(description="better")
    model.add_dataset_references([("test data", "set-2")])
    for each in (model, Model(several, "a")):
        assert (each.tags, each.properties) == ({"more": "1"}, {"p": "1", "q": "2"})
        assert (each.description, each.datasets) == ("better", {"test data": ["set-2"]})
    model.update(tags={"only": "this"})
    model.update_tags_properties(add_tags={"and": "that"}, remove_tags=["only"], add_properties={"r": "3"})
    assert (model.tags, model.properties["r"]) == ({"and": "that"}, "3")
    assert Model(several, "a", version=1).tags == {"kind": "old"}


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(several, weights):
    Model(several, "a").delete()
    assert Model(several, "a").version == 1
    assert [model.id for model in Model.list(several)] == ["b:1", "a:1"]
    assert Model.register(several, weights, "a").version == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda workspace: Model.deploy(workspace, "service", [], None, None),
        lambda workspace: Model.profile(workspace, "p", [], None, None),
        lambda workspace: Model.package(workspace, []),
    ],
)
def test_serving_says_what_to_do_instead(workspace, call):
    with pytest.raises(NotServedException) as told:
        call(workspace)
    assert "model.download" in told.value.hint


# -- properties ------------------------------------------------------------------------------------------------------


@given(st.text(max_size=5) | st.from_regex(r"[A-Za-z0-9._-]{0,260}", fullmatch=True))
def test_a_name_is_what_v1_took_for_one(name):
    taken = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", name) is not None
    try:
        assert check_name(name) == name
        assert taken
    except WebserviceException:
        assert not taken


@given(st.lists(st.sampled_from(["register", "delete the newest", "delete the oldest", "tag"]), max_size=12))
def test_a_number_is_given_once_and_the_newest_is_the_highest(steps):
    with tempfile.TemporaryDirectory() as top:
        source = Path(top, "m")
        source.write_text("x")
        given_numbers, there = 0, []
        for step in steps:
            if step == "register":
                record = {"name": "m", "path": "m", "created": 1.0, "tags": {}}
                given_numbers += 1
                assert registry.register(top, record, {"m": str(source)}) == given_numbers
                there.append(given_numbers)
            elif there and step == "tag":
                add_edit(latest_model(top, "m").directory, {"op": "tags", "tags": {"n": str(there[-1])}})
                assert latest_model(top, "m").tags == {"n": str(there[-1])}
            elif there:
                version = there.pop(-1 if step == "delete the newest" else 0)
                registry.delete(read_model(top, "m", version).directory)
            assert model_versions(top, "m") == there
            newest = latest_model(top, "m")
            assert (newest and newest.version) == (there[-1] if there else None)
            assert model_names(top) == (["m"] if there else [])


# -- many at once ------------------------------------------------------------------------------------------------------

REGISTERS = """
import sys
from amlnb import Workspace
from amlnb.api.model import Model
workspace = Workspace.from_config()
print("begin", flush=True)
for _ in range(int(sys.argv[2])):
    Model.register(workspace, sys.argv[1], "m")
"""


def test_registrations_at_the_same_time_have_versions_of_their_own(workspace, weights):
    threads = [
        threading.Thread(target=lambda: [Model.register(workspace, weights, "m") for _ in range(5)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model.version for model in reversed(Model.list(workspace, "m"))] == list(range(1, 21))


@pytest.mark.slow
def test_processes_that_register_at_the_same_time_have_versions_of_their_own(workspace, weights):
    processes = [
        subprocess.Popen([sys.executable, "-c", REGISTERS, weights, "5"], stdout=subprocess.DEVNULL) for _ in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    versions = [model.version for model in Model.list(workspace, "m")]
    assert versions == list(range(20, 0, -1))


def test_garbage_collection_removes_what_a_killed_registration_left(workspace, weights):
    model = Model.register(workspace, weights, "m")
    left = Path(workspace.directory.models, Path(model._facts.directory).parent.name, ".new-0")
    (left / "files").mkdir(parents=True)
    (left / "files" / "part").write_bytes(b"x")
    os.utime(left, (0, 0))
    collect_garbage(workspace.directory, dry_run=False)
    assert left.exists()
    os.utime(left / "files" / "part", (0, 0))
    collect_garbage(workspace.directory, dry_run=False)
    assert not left.exists()
    assert Model(workspace, "m").download("got")


def test_garbage_collection_removes_what_a_killed_deletion_left(workspace, weights):
    version = Path(Model.register(workspace, weights, "m")._facts.directory)
    (version / "model.json").rename(version / "deleted.json")
    collect_garbage(workspace.directory, dry_run=False)
    assert os.listdir(version) == ["deleted.json"]


@pytest.mark.parametrize("wanted", [{"tags": 5}, {"tags": [["a", "b", "c"]]}, {"properties": [1]}, {"name": 3}])
def test_a_listing_by_what_nothing_can_be_found_by_is_refused(several, wanted):
    with pytest.raises(WebserviceException):
        Model.list(several, **wanted)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.add_tags({"a": 1}),
        lambda model: model.add_properties({"a": 1}),
        lambda model: model.remove_tags("a"),
        lambda model: model.update(description="d"),
        lambda model: model.download("got"),
        lambda model: model.delete(),
    ],
)
def test_of_a_deleted_version_nothing_can_be_asked(several, call):
    model = Model(several, "a")
    Model(several, "a").delete()
    with pytest.raises(WebserviceException, match="there is no model 'a' of version 2"):
        call(model)
    assert os.listdir(model._facts.directory) == ["deleted.json"]


def test_a_project_that_is_a_model_does_not_take_its_workspace_along(workspace):
    for name in (".git/HEAD", "sub/__pycache__/m.pyc", "sub/train.py", ".amlignore"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    assert Path(workspace.directory.path).name == ".amlnb"
    model = Model.register(workspace, ".", "whole")
    top = Path(model.download("/".join([str(Path.cwd().parent), "got" + Path.cwd().name])))
    assert sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()) == [
        ".amlignore",
        "sub/train.py",
    ]


def test_a_linked_folder_is_told_and_left_out(workspace, weights, capsys):
    os.symlink("/usr", "weights/usr")
    Model.register(workspace, weights, "m")
    assert "Warning: left out of the model: 'weights/usr' is a link" in capsys.readouterr().out


def _get_path(barrier, results, workspace):
    barrier.wait()
    try:
        results.put(Model.get_model_path("m", _workspace=workspace))
    except BaseException as error:
        results.put(repr(error))


def test_processes_that_fetch_a_model_at_the_same_time_all_have_it(workspace, weights):
    Model.register(workspace, weights, "m")
    forking = multiprocessing.get_context("fork")
    barrier, results = forking.Barrier(4), forking.Queue()
    processes = [forking.Process(target=_get_path, args=(barrier, results, workspace)) for _ in range(4)]
    for each in processes:
        each.start()
    assert {results.get() for _ in processes} == {"azureml-models/m/1/weights"}
    for each in processes:
        each.join()
    assert os.listdir("azureml-models/m") == ["1"]


@pytest.mark.parametrize("left", ["azureml-models/m/1/.new-1", "azureml-models/m/.new-1/weights/a.bin"])
def test_what_a_killed_fetch_left_is_no_model(workspace, weights, left):
    Model.register(workspace, weights, "m")
    Path(left).parent.mkdir(parents=True)
    Path(left).write_text("par")
    with pytest.raises(WebserviceException, match="neither in"):
        Model.get_model_path("m")
    if left.startswith("azureml-models/m/1"):
        with pytest.raises(WebserviceException, match="in its way"):
            Model.get_model_path("m", _workspace=workspace)
        return
    assert Path(Model.get_model_path("m", _workspace=workspace), "a.bin").read_bytes() == b"a"


def test_a_tracking_fault_in_a_job_stops_no_script(run, workspace, weights, monkeypatch):
    model = Model.register(workspace, weights, "m")
    for name, value in context.variables(run.id, "training", run.directory, {}).items():
        monkeypatch.setenv(name, value)
    edits = Path(model._facts.directory, "edits")
    edits.write_text("in the way")
    model.add_tags({"a": 1})
    edits.unlink()
    faults.retry()
    assert Model(workspace, "m").tags == {"a": "1"}


@pytest.mark.kill
def test_a_killed_registration_leaves_no_half_version(workspace, tmp_path):
    Path("big").mkdir()
    for number in range(40):
        Path(f"big/{number}").write_bytes(os.urandom(1 << 16))
    for round_ in range(20):
        process = subprocess.Popen([sys.executable, "-c", REGISTERS, "big", "1000"], stdout=subprocess.PIPE)
        process.stdout.readline()
        threading.Event().wait(0.002 * round_)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    models = Model.list(workspace, "m")
    assert [model.version for model in models] == list(range(len(models), 0, -1))
    for model in models:
        assert len(list(Path(model.download("got", exist_ok=True)).iterdir())) == 40
