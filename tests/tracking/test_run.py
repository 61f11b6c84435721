"""Tags, properties, files, pictures, documents, children and ends, as a script writes them."""

import contextlib
import io
import json
import os
import re
import shutil
import tempfile

import numpy as np
import pytest
from matplotlib.figure import Figure

from amlnb.errors import UserErrorException
from amlnb.store import files
from amlnb.tracking.console import Console

PNG = b"\x89PNG\r\n"
MATRIX = {
    "schema_type": "confusion_matrix",
    "schema_version": "1.0.0",
    "data": {"class_labels": ["0", "1"], "matrix": [[1, 2], [3, 4]]},
}
DOCUMENTS = ["log_confusion_matrix", "log_accuracy_table", "log_residuals", "log_predictions"]


def address(name):
    return f"aml://artifactId/ExperimentRun/dcid.r/{name}"


def names(kept):
    return list(files.list_files(kept.run.directory))


# -- tags and properties -----------------------------------------------------------------------------------------------


def test_tags_become_text_and_the_last_one_counts(run, kept):
    run.tag("a")
    run.tag("b", 1)
    run.set_tags({"c": True, 4: None, "b": 2.5})
    assert kept.reader.facts().tags == {"a": None, "b": "2.5", "c": "True", "4": None}


def test_properties_never_change(run, kept):
    run.add_properties({"p": 1})
    run.add_properties({"p": 2, "q": "x"})
    assert kept.reader.facts().properties == {"p": "1", "q": "x"}


@pytest.mark.parametrize("text", ["a\nb", "<b>", "\ud800", "\0", "", "ü" * 10_000])
def test_tags_may_hold_any_text(run, kept, text):
    run.tag(text, text)
    run.add_properties({text: text})
    assert kept.reader.facts().tags == kept.reader.facts().properties == {text: text}


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_a_stream_and_text_are_kept(run, kept, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\0" * 3_000_000)
    run.upload_file("outputs/a.bin", tmp_path / "a.bin")
    stream = io.BytesIO(b"skipped and kept")
    stream.seek(12)
    run.upload_file("b", stream)
    run.upload_file("deep/./c.txt", io.StringIO("ü"))
    run.upload_files(["d", "e"], [str(tmp_path / "a.bin")] * 2)
    assert (kept.file("outputs/a.bin"), kept.file("b"), kept.file("deep/c.txt")) == (
        b"\0" * 3_000_000,
        b"kept",
        "ü".encode(),
    )
    assert names(kept) == ["b", "d", "deep/c.txt", "e", "outputs/a.bin"]


def test_a_folder_is_kept_with_what_is_below(run, kept, tmp_path):
    (tmp_path / "f" / "deep").mkdir(parents=True)
    (tmp_path / "f" / "a").write_text("a")
    (tmp_path / "f" / "deep" / "b c\n").write_text("b")
    run.upload_folder("outputs/f", str(tmp_path / "f"))
    assert names(kept) == ["outputs/f/a", "outputs/f/deep/b c\n"]


@pytest.mark.parametrize(
    "name", ["", "/", ".", "..", "../x", "a/../../x", "/etc/passwd", "a\0b", "..\\x", "\ud800", "a" * 300]
)
def test_a_name_stays_inside_the_run(run, kept, name):
    with pytest.raises(UserErrorException, match=r"(?s)is not a name .*\nhint: "):
        run.upload_file(name, io.BytesIO(b"x"))
    assert names(kept) == []


def test_a_name_that_is_taken_stays_as_it_is(run, kept, tmp_path):
    (tmp_path / "a").write_text("other")
    run.upload_file("outputs/a", io.BytesIO(b"first"))
    for second in (io.BytesIO(b"second"), str(tmp_path / "a")):
        with pytest.raises(
            UserErrorException, match="Resource Conflict: the run has a file 'outputs/a' already\nhint: "
        ):
            run.upload_file("outputs/a", second)
    for below in ("outputs/a/b", "outputs"):
        with pytest.raises(UserErrorException, match=r"(?s)(Resource Conflict|is not a name).*\nhint: "):
            run.upload_file(below, io.BytesIO(b"third"))
    assert kept.file("outputs/a") == b"first"
    assert os.listdir(os.path.join(run.directory, "artifacts", "outputs")) == ["a"]


def test_what_cannot_be_read_is_refused(run, kept, tmp_path):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(5, "the network is gone")

    (tmp_path / "folder").mkdir()
    for path in ("missing", str(tmp_path / "folder")):
        with pytest.raises(
            UserErrorException, match=r"there is no file .*\nhint: paths are relative to the working directory"
        ):
            run.upload_file("x", path)
    with pytest.raises(UserErrorException, match="cannot be read, to be kept as 'x': the network is gone\nhint: "):
        run.upload_file("x", Broken())
    with pytest.raises(UserErrorException, match="there is no folder 'missing'\nhint: "):
        run.upload_folder("x", "missing")
    with pytest.raises(UserErrorException, match="2 names and 1 paths\nhint: "):
        run.upload_files(["a", "b"], ["c"])
    assert names(kept) == []


@pytest.fixture
def as_nobody():
    """A folder that anyone may enter, and a way to act as a user who owns nothing: root may read anything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)

    @contextlib.contextmanager
    def become():
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    yield folder, become
    shutil.rmtree(folder)


def test_a_file_of_another_user_is_refused(run, kept, as_nobody):
    folder, become = as_nobody
    path = os.path.join(folder, "secret")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write("secret")
    with (
        pytest.raises(UserErrorException, match="cannot be read, to be kept as 'x': Permission denied\nhint: make it"),
        become(),
    ):
        run.upload_file("x", path)
    assert names(kept) == []


# -- pictures and documents --------------------------------------------------------------------------------------------


def test_a_figure_is_kept_as_a_picture(run, kept):
    figure = Figure(figsize=(1, 1))
    run.log_image("loss/curve", plot=figure)
    found = kept.metrics()["loss/curve"]
    assert re.fullmatch(re.escape(address("loss/curve_")) + r"\d+\.png", found)
    assert kept.file(found.removeprefix(address(""))).startswith(PNG)


def test_figures_of_the_same_second_are_kept_beside_each_other(run, kept):
    for step in range(3):
        run.log_image("m", plot=Figure(figsize=(1, 1)), step=step)
    assert len(set(kept.metrics()["m"])) == len(names(kept)) == 3


def test_pictures_of_one_path_are_kept_beside_each_other(run, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ("one", "two", "three"):
        (tmp_path / "plot.png").write_text(text)
        run.log_image("m", path="./plot.png")
    assert kept.metrics() == {"m": [address("plot.png"), address("plot-1.png"), address("plot-2.png")]}
    assert [kept.file(name) for name in ("plot.png", "plot-1.png", "plot-2.png")] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("path", ["../up.png", "/abs.png"])
def test_a_picture_from_outside_is_kept_below_the_run(run, kept, tmp_path, monkeypatch, path):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    full = tmp_path / "up.png" if path.startswith("..") else tmp_path / "abs.png"
    full.write_text("x")
    run.log_image("m", path=path if path.startswith("..") else str(full))
    assert [name.rpartition("/")[2] for name in names(kept)] == [full.name]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "takes either path or plot"),
        ({"path": "a", "plot": 1}, "takes either path or plot"),
        ({"plot": 3}, "the plot given to log_image of 'm' is a int, which has no savefig"),
        ({"path": "missing.png"}, "there is no file 'missing.png'"),
        ({"plot": Figure(), "step": "one"}, "the step of 'm' is a number"),
    ],
)
def test_what_is_no_picture_is_refused(run, kept, arguments, why):
    with pytest.raises(UserErrorException, match=f"{why}.*\nhint: "):
        run.log_image("m", **arguments)
    assert kept.metrics() == {}
    assert names(kept) == []


@pytest.mark.parametrize("method", DOCUMENTS)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_document_is_kept_under_its_name(run, kept, method, as_text):
    getattr(run, method)("m", json.dumps(MATRIX) if as_text else MATRIX)
    assert kept.metrics() == {"m": address("m")}
    assert json.loads(kept.file("m")) == MATRIX


def test_arrays_in_a_document_become_lists(run, kept):
    run.log_confusion_matrix(
        "m", {"data": {"matrix": np.eye(2, dtype=int), "score": np.float32(0.5), "n": np.int64(3)}}
    )
    assert json.loads(kept.file("m")) == {"data": {"matrix": [[1, 0], [0, 1]], "score": 0.5, "n": 3}}


def test_documents_of_one_name_are_kept_beside_each_other(run, kept):
    for _ in range(2):
        run.log_confusion_matrix("m", MATRIX)
    run.log_accuracy_table("a?", MATRIX)
    run.log_accuracy_table("a*", MATRIX)
    assert kept.metrics() == {"m": [address("m"), address("m-1")], "a?": address("a_"), "a*": address("a_-1")}


@pytest.mark.parametrize(
    "name", ["a\nb", "<b>", "../../x", "/etc/passwd", "\ud800", "x" * 1000, "/" * 9, ".", "ü" * 300, "a/" * 200]
)
def test_a_document_may_have_any_name(run, kept, name):
    run.log_confusion_matrix(name, MATRIX)
    assert json.loads(kept.file(kept.metrics()[name].removeprefix(address("")))) == MATRIX
    top = os.path.realpath(os.path.join(run.directory, "artifacts"))
    assert [os.path.realpath(path).startswith(top) for path in files.list_files(run.directory).values()] == [True]


CIRCLE = {}
CIRCLE["self"] = CIRCLE


@pytest.mark.parametrize("method", DOCUMENTS)
@pytest.mark.parametrize("value", ["{", "[1]", [1], None, 3, CIRCLE, {(1, 2): 3}])
def test_what_is_no_document_is_refused(run, kept, method, value):
    with pytest.raises(UserErrorException, match=r"(?s)the value of the [a-z ]* 'm' is .*\nhint: \{'schema_type'"):
        getattr(run, method)("m", value)
    assert kept.metrics() == {}


# -- children and ends -------------------------------------------------------------------------------------------------


def facts(run):
    from amlnb.store.run_reader import RunReader

    reader = RunReader(run.directory)
    reader.refresh()
    return reader.facts()


def test_a_child_lives_and_ends_on_its_own(run):
    child = run.child_run("kid")
    child.log("x", 1)
    assert (facts(child).state, facts(child).display_name) == ("Running", "kid")
    child.complete()
    assert (facts(child).state, facts(run).state) == ("Completed", "Running")
    with pytest.raises(UserErrorException, match=f"there is a run '{child.id}' in this workspace already\nhint: "):
        run.child_run(run_id=child.id)


def test_a_thousand_children_leave_no_file_open(run):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        child = run.child_run()
        child.log("x", 0.5)
        child.complete()
    for _ in range(100):
        run.child_run().log("x", 0.5)  # dropped without an end
    assert len(os.listdir("/proc/self/fd")) <= before + 4


def test_a_completed_child_can_still_be_logged_to(run, make_run):
    child = run.child_run()
    child.log("x", 0.5)
    child.complete()
    child.log("x", 1.5)
    child.complete()
    assert facts(child).state == "Completed"


@pytest.mark.parametrize(
    ("error", "state", "code", "message"),
    [
        (None, "Completed", None, None),
        (SystemExit(0), "Completed", None, None),
        (SystemExit(), "Completed", None, None),
        (SystemExit(3), "Failed", "UserError", "SystemExit: 3"),
        (ValueError("broken"), "Failed", "UserError", "ValueError: broken"),
        (KeyboardInterrupt(), "Failed", "UserError", "KeyboardInterrupt: "),
    ],
)
def test_a_block_ends_the_run(run, error, state, code, message):
    def block():
        with run:
            if error is not None:
                raise error

    if error is None or state == "Completed":
        block()  # SystemExit(0) ends here, as in v1
    else:
        with pytest.raises(type(error)):
            block()
    ended = facts(run)
    assert (ended.state, ended.sealed) == (state, True)
    assert ((ended.error or {}).get("code"), (ended.error or {}).get("message")) == (code, message)


@pytest.mark.parametrize(
    ("details", "code", "expected"),
    [
        ("it broke", None, {"code": "UserError", "message": "it broke"}),
        (ValueError("why"), "Mine", {"code": "Mine", "message": "ValueError: why"}),
        (None, None, {"code": "UserError", "message": ""}),
    ],
)
def test_a_run_fails_with_its_error(run, details, code, expected):
    run.fail(details, error_code=code)
    error = {name: text for name, text in facts(run).error.items() if not name.startswith("debug_")}
    assert (facts(run).state, error) == ("Failed", expected)


def test_an_exception_is_kept_whole(run):
    try:
        raise ValueError("why")
    except ValueError as error:
        run.fail(error)
    error = facts(run).error
    assert (error["debug_type"], error["debug_message"]) == ("ValueError", "why")
    assert error["debug_stack_trace"].startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize("details", [3, {"a": 1}, b"x", ["x"]])
def test_an_error_is_text_or_an_exception(run, details):
    with pytest.raises(TypeError, match=f"error_details is a str or an exception, not {type(details).__name__}"):
        run.fail(details)
    assert facts(run).state == "Running"


def test_the_first_end_counts(run):
    run.complete(_set_status=False)
    assert facts(run).state == "Running"
    run.complete()
    run.fail("too late")
    assert facts(run).state == "Completed"


def test_what_is_printed_does_not_bring_a_deleted_run_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    console = Console(str(tmp_path / "gone"))
    console.start()
    print("goes on")
    console.stop()
    assert not (tmp_path / "gone").exists()
    assert (tmp_path / "logs" / "user_log.txt").read_text() == "goes on\n"
