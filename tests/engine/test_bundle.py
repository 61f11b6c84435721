"""A bundle holds everything of a run, opens without a network, and is there whole or not at all."""

import csv
import io
import json
import os
import re
import stat
import sys
import zipfile

import pytest

from amlnb.api.experiment import Experiment
from amlnb.engine.bundle import write_bundle
from amlnb.errors import AmlnbError, UserErrorException

SCRIPT = """
import os
from amlnb import Run
run = Run.get_context()
for i in range(3):
    run.log("loss", 1 / (i + 1), step=i)
run.log("bad", float("nan"))
run.log("name", "text")
print("<b>said</b>")
os.makedirs("outputs/deep")
open("outputs/small.txt", "w").write("small")
open("outputs/deep/large.bin", "wb").write(b"x" * 100_000)
open(b"outputs/odd-\\xff.txt", "w").write("odd")
os.symlink("/etc/passwd", "outputs/elsewhere")
raise ValueError("in the end")
"""


def bundle(run, workspace, path="b.zip", **options):
    written = write_bundle(run.directory, workspace.directory.objects, str(path), **options)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        top = os.path.basename(run.directory) + "/"
        contents = {info.filename.removeprefix(top): archive.read(info) for info in archive.infolist()}
    return written, contents


def test_everything_of_a_run_is_in_it(submit, workspace, tmp_path):
    run = submit(SCRIPT, "--lr", 0.5, name="train.py")
    run.wait_for_completion(raise_on_error=False)
    written, contents = bundle(run, workspace)
    assert written.left_out == []
    assert written.bytes == os.stat("b.zip").st_size
    assert contents["code/train.py"].decode() == SCRIPT
    assert contents["files/outputs/small.txt"] == b"small"
    assert contents["files/outputs/odd-%ff.txt"] == b"odd"
    assert len(contents["files/outputs/deep/large.bin"]) == 100_000
    assert contents["files/user_logs/std_log.txt"].startswith(b"<b>said</b>\n")
    assert not [name for name in contents if "elsewhere" in name]
    assert json.loads(contents["run.json"])["id"] == run.id
    assert json.loads(contents["final.json"])["state"] == "Failed"
    assert json.loads(contents["metrics.json"]) == {"loss": [1.0, 0.5, 1 / 3], "bad": "NaN", "name": "text"}
    rows = list(csv.DictReader(io.StringIO(contents["metrics.csv"].decode())))
    assert [(row["metric"], row["step"], row["value"]) for row in rows] == [
        ("loss", "0", "1.0"), ("loss", "1", "0.5"), ("loss", "2", str(1 / 3)), ("bad", "0", "nan"),
    ]  # fmt: skip
    environment = json.loads(contents["environment.json"])
    assert environment["interpreter"] == sys.executable
    assert "numpy" in environment["packages"]
    assert [name for name in contents if name.startswith("failures/")]


def test_its_page_needs_no_network_and_escapes_what_the_run_said(submit, workspace):
    run = submit(SCRIPT, name="train.py")
    run.wait_for_completion(raise_on_error=False)
    page = bundle(run, workspace)[1]["index.html"].decode()
    for expected in ("ValueError: in the end", "&lt;b&gt;said&lt;/b&gt;", "import os", "outputs/small.txt", "<svg"):
        assert expected in page
    assert not re.search(r"<script|<link|<img|<iframe|\bsrc=|@import|url\(", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_what_does_not_fit_is_left_out_and_named(submit, workspace):
    run = submit(SCRIPT)
    run.wait_for_completion(raise_on_error=False)
    written, contents = bundle(run, workspace, max_bytes=50_000)
    assert written.left_out == ["files/outputs/deep/large.bin (100000 bytes)"]
    assert contents["left_out.txt"].decode().splitlines() == written.left_out
    assert "files/outputs/small.txt" in contents
    written, contents = bundle(run, workspace, "c.zip", max_bytes=0)
    assert len(written.left_out) == 4
    assert b"said" in contents["index.html"]


def test_links_modes_and_empty_folders_of_the_source_are_kept(workspace, tmp_path):
    from amlnb.api.script_run_config import ScriptRunConfig

    source = tmp_path / "s"
    (source / "empty").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("run.sh")
    (source / "outside").symlink_to("/usr")
    (source / "s.py").write_text("pass")
    run = Experiment(workspace, "e").submit(ScriptRunConfig(str(source), "s.py"))
    run.wait_for_completion()
    written, contents = bundle(run, workspace)
    assert contents["code/link"] == b"run.sh"
    assert contents["code/empty/"] == b""
    assert written.left_out == ["code/outside (a link to /usr)"]
    with zipfile.ZipFile("b.zip") as archive:
        modes = {info.filename.partition("/")[2]: info.external_attr >> 16 for info in archive.infolist()}
    assert stat.S_ISLNK(modes["code/link"])
    assert stat.S_IMODE(modes["code/run.sh"]) == 0o755
    # Nothing in it climbs out of its folder.
    assert not [name for name in contents if ".." in name.split("/") or name.startswith("/")]


def test_a_run_without_snapshot_and_one_that_goes_on_are_bundled_as_they_are(submit, workspace):
    live = Experiment(workspace, "e").start_logging(snapshot_directory=None)
    live.log("x", 1.0)
    contents = bundle(live, workspace)[1]
    assert json.loads(contents["metrics.json"]) == {"x": 1.0}
    assert "final.json" not in contents
    assert not [name for name in contents if name.startswith("code/")]
    live.complete()


def test_a_bundle_is_never_written_over_a_file_and_leaves_nothing_behind_when_it_fails(submit, workspace, tmp_path):
    run = submit("pass")
    run.wait_for_completion()
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(UserErrorException, match=r"mine\.zip"):
        bundle(run, workspace, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_text() == "mine"
    with pytest.raises(AmlnbError, match="missing"):
        bundle(run, workspace, tmp_path / "missing" / "b.zip")

    def fail(name, _):
        raise OSError(28, "No space left on device")

    folder = tmp_path / "full"
    folder.mkdir()
    with pytest.raises(AmlnbError, match="No space left"):
        bundle(run, workspace, folder / "b.zip", progress=fail)
    assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_read_is_named_and_a_lost_one_of_the_code_told(submit, workspace):
    run = submit("pass", name="train.py")
    run.wait_for_completion()
    snapshot = json.loads(read(run.directory, "run.json"))["snapshot"]
    manifest = json.loads(read(workspace.directory.objects, snapshot[:2], snapshot[2:]))
    sha = manifest["files"]["train.py"]["sha"]
    code = os.path.join(workspace.directory.objects, sha[:2], sha[2:])
    os.rename(code, "kept.py")
    with pytest.raises(AmlnbError, match="missing"):
        bundle(run, workspace)
    os.rename("kept.py", code)
    os.mkdir(os.path.join(run.directory, "failures"))
    os.symlink("loop.json", os.path.join(run.directory, "failures", "loop.json"))
    with pytest.raises(AmlnbError, match=r"loop\.json' cannot be read") as told:
        bundle(run, workspace)
    assert "--output" not in str(told.value)
    assert not os.path.exists("b.zip")


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def test_times_that_no_zip_file_has_are_bundled_as_the_nearest(submit, workspace):
    run = submit("open('outputs/a', 'w'); open('outputs/b', 'w')")
    run.wait_for_completion()
    for name, time in (("a", 0), ("b", 5_000_000_000)):
        os.utime(os.path.join(run.directory, "work", "outputs", name), (time, time))
    assert {"files/outputs/a", "files/outputs/b"} <= bundle(run, workspace)[1].keys()
