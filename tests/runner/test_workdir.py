"""A run's working directory: made from its snapshot, left with what the run made, and nothing outside is touched."""

import hashlib
import json
import os
import stat
import subprocess
import sys

import pytest

from amlnb.core.manifest import Manifest
from amlnb.engine.snapshot import take_snapshot
from amlnb.errors import FormatError
from amlnb.runner.workdir import materialise, prune
from amlnb.store.objects import ObjectStore


class Place:
    def __init__(self, root):
        self.root = root
        self.source = root / "source"
        self.source.mkdir()
        self.objects = ObjectStore(root / "objects")
        self.work = root / "run" / "work"

    def snapshot(self):
        return take_snapshot(self.source, self.objects, str(self.root / "cache")).id

    def make(self, snapshot_id, link_directory=None):
        return materialise(self.objects.root, snapshot_id, str(self.work), link_directory and str(link_directory))

    def tree(self):
        found = {}
        for folder, folders, files in os.walk(os.fsencode(self.work)):
            for name in files + folders:
                full = os.path.join(folder, name)
                key = os.fsdecode(os.path.relpath(full, os.fsencode(self.work)))
                if os.path.islink(full):
                    found[key] = "-> " + os.fsdecode(os.readlink(full))
                elif os.path.isdir(full):
                    found[key + "/"] = None
                else:
                    with open(full, "rb") as file:
                        found[key] = file.read().decode()
        return found


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_it_is_the_source_again(place):
    (place.source / "pkg").mkdir()
    (place.source / "pkg" / "run.sh").write_text("#!/bin/sh")
    (place.source / "pkg" / "run.sh").chmod(0o755)
    (place.source / "locked.txt").write_text("r")
    (place.source / "locked.txt").chmod(0o444)
    (place.source / "link").symlink_to("pkg/run.sh")
    (place.source / "broken").symlink_to("nowhere")
    (place.source / "empty" / "inner").mkdir(parents=True)
    (place.source / "big.bin").write_bytes(b"abcdefgh" * 300_000)
    (place.source / os.fsdecode(b"caf\xe9 \n'\"")).write_text("odd")
    place.make(place.snapshot())
    assert place.tree() == {
        "pkg/": None,
        "pkg/run.sh": "#!/bin/sh",
        "locked.txt": "r",
        "link": "-> pkg/run.sh",
        "broken": "-> nowhere",
        "empty/": None,
        "empty/inner/": None,
        "big.bin": "abcdefgh" * 300_000,
        os.fsdecode(b"caf\xe9 \n'\""): "odd",
        "outputs/": None,
        "logs/": None,
    }
    assert stat.S_IMODE(os.stat(place.work / "pkg" / "run.sh").st_mode) == 0o755
    assert stat.S_IMODE(os.stat(place.work / "locked.txt").st_mode) == 0o444


def test_it_is_the_same_under_another_locale(place):
    (place.source / os.fsdecode(b"caf\xe9")).write_text("1")
    (place.source / "été").write_text("2")
    program = "import sys; from amlnb.runner.workdir import materialise; materialise(*sys.argv[1:])"
    environ = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", program, place.objects.root, place.snapshot(), str(place.work)]
    subprocess.run(command, check=True, env=environ)
    assert set(place.tree()) == {os.fsdecode(b"caf\xe9"), "été", "outputs/", "logs/"}


def test_a_run_without_a_snapshot_gets_its_two_folders(place):
    staged = place.make(None)
    assert place.tree() == {"outputs/": None, "logs/": None}
    assert prune(str(place.work), staged) == []


def test_changing_a_file_leaves_its_object_as_it_is(place):
    (place.source / "a.txt").write_text("first")
    snapshot_id = place.snapshot()
    place.make(snapshot_id)
    (place.work / "a.txt").write_text("changed")
    assert place.objects.read(hashlib.sha256(b"first").hexdigest()) == b"first"


def test_what_the_run_made_or_changed_stays_and_the_rest_goes(place):
    for name in ("same.py", "changed.py", "touched.txt", "replaced.txt", "removed.txt"):
        (place.source / name).write_text("content")
    for folder in ("only", "mixed", "empty", "outputs", "logs"):
        (place.source / folder).mkdir()
    (place.source / "only" / "mod.py").write_text("")
    (place.source / "mixed" / "mod.py").write_text("")
    (place.source / "outputs" / "given.txt").write_text("")
    (place.source / "link").symlink_to("same.py")
    (place.source / "turned").symlink_to("same.py")
    staged = place.make(place.snapshot())
    (place.work / "changed.py").write_text("CONTENT")
    (place.work / "removed.txt").unlink()
    (place.work / "replaced.txt").unlink()
    (place.work / "replaced.txt").mkdir()
    (place.work / "turned").unlink()
    (place.work / "turned").symlink_to("changed.py")
    (place.work / "mixed" / "made.txt").write_text("made")
    for folder in ("only", "mixed"):
        (place.work / folder / "__pycache__").mkdir()
        (place.work / folder / "__pycache__" / "mod.cpython-311.pyc").write_text("")
    (place.work / "mixed" / "__pycache__" / "made.cpython-311.pyc").write_text("")
    (place.work / "outputs" / "model.pkl").write_text("m")
    (place.work / "logs" / "deep").mkdir()
    (place.work / "logs" / "deep" / "x.log").write_text("l")
    assert prune(str(place.work), staged) == []
    assert place.tree() == {
        "changed.py": "CONTENT",
        "replaced.txt/": None,
        "turned": "-> changed.py",
        "mixed/": None,
        "mixed/made.txt": "made",
        "mixed/__pycache__/": None,
        "mixed/__pycache__/made.cpython-311.pyc": "",
        "outputs/": None,
        "outputs/given.txt": "",
        "outputs/model.pkl": "m",
        "logs/": None,
        "logs/deep/": None,
        "logs/deep/x.log": "l",
    }


def test_a_second_attempt_replaces_what_the_first_one_left(place, tmp_path):
    (place.source / "pkg").mkdir()
    (place.source / "pkg" / "a.py").write_text("a")
    (place.source / "b.py").write_text("b")
    (place.source / "l").symlink_to("b.py")
    outside = tmp_path / "outside"
    outside.mkdir()
    place.make(place.snapshot())
    for name in ("a.py", "b.py"):
        next(place.work.rglob(name)).unlink()
    (place.work / "pkg").rmdir()
    (place.work / "pkg").symlink_to(outside)
    (place.work / "b.py").symlink_to(outside / "through")
    (place.work / "l").unlink()
    (place.work / "l").write_text("a file now")
    place.make(place.snapshot())
    tree = place.tree()
    assert (tree["pkg/a.py"], tree["b.py"], tree["l"]) == ("a", "b", "-> b.py")
    assert list(outside.iterdir()) == []


def test_entries_of_the_users_folder_appear_as_links_and_go_again(place, tmp_path):
    folder = tmp_path / "notebooks"
    for path in (
        "data/a.csv",
        "pkg/mod.py",
        "pkg/data.csv",
        "outputs/x",
        "logs/x",
        ".secret/x",
        "__pycache__/x",
        "table.csv",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    (folder / "note.ipynb").write_text("{}")
    (place.source / "cell.py").write_text("")
    (place.source / "pkg").mkdir()
    (place.source / "pkg" / "mod.py").write_text("from the snapshot")
    staged = place.make(place.snapshot(), folder)
    assert place.tree() == {
        "cell.py": "",
        "pkg/": None,
        "pkg/mod.py": "from the snapshot",
        "pkg/data.csv": f"-> {folder}/pkg/data.csv",
        "data": f"-> {folder}/data",
        "table.csv": f"-> {folder}/table.csv",
        "note.ipynb": f"-> {folder}/note.ipynb",
        "outputs/": None,
        "logs/": None,
    }
    (folder / "note.ipynb").write_text("saved meanwhile")
    assert prune(str(place.work), staged) == []
    assert place.tree() == {"outputs/": None, "logs/": None}
    assert (folder / "pkg" / "data.csv").read_text() == "pkg/data.csv"


def test_a_linked_file_that_the_run_changed_is_told(place, tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "table.csv").write_text("1")
    (folder / "same.csv").write_text("1")
    staged = place.make(None, folder)
    with open(place.work / "table.csv", "a") as file:
        file.write("2")
    (warning,) = prune(str(place.work), staged)
    assert "'table.csv' changed during the run" in warning
    assert str(folder / "table.csv") in warning


def test_a_folder_that_is_gone_gives_no_links(place, tmp_path):
    place.make(None, tmp_path / "gone")
    assert place.tree() == {"outputs/": None, "logs/": None}


SHA = hashlib.sha256(b"evil").hexdigest()
ENTRY = {"sha": SHA, "size": 4, "mode": 0o644}


@pytest.mark.parametrize(
    "document",
    [
        {"files": {"../out": ENTRY}, "links": {}, "directories": []},
        {"files": {"/out": ENTRY}, "links": {}, "directories": []},
        {"files": {"a/../../out": ENTRY}, "links": {}, "directories": []},
        {"files": {"a//b": ENTRY}, "links": {}, "directories": []},
        {"files": {"": ENTRY}, "links": {}, "directories": []},
        {"files": {"a\0b": ENTRY}, "links": {}, "directories": []},
        {"files": {"d/out": ENTRY}, "links": {"d": "/"}, "directories": []},
        {"files": {"d/e/out": ENTRY}, "links": {"d": "x"}, "directories": []},
        {"files": {"a": ENTRY}, "links": {"a": "x"}, "directories": []},
        {"files": {}, "links": {"a": "../../out"}, "directories": []},
        {"files": {}, "links": {"a/b": "../../out"}, "directories": []},
        {"files": {}, "links": {"../a": "x"}, "directories": []},
        {"files": {}, "links": {"a": ""}, "directories": []},
        {"files": {}, "links": {"a": 1}, "directories": []},
        {"files": {}, "links": {}, "directories": ["../out"]},
        {"files": {}, "links": {}, "directories": [1]},
        {"files": {"out": {**ENTRY, "sha": "../../../etc/passwd"}}, "links": {}, "directories": []},
        {"files": {"out": {**ENTRY, "size": -1}}, "links": {}, "directories": []},
        {"files": {"out": {**ENTRY, "mode": 0o4755}}, "links": {}, "directories": []},
        {"files": {"out": {"sha": SHA}}, "links": {}, "directories": []},
        {"files": {}, "links": {}},
        [],
    ],
)
def test_a_manifest_that_leads_outside_is_refused_and_nothing_is_written(place, document):
    place.objects.put_bytes(b"evil")
    if isinstance(document, dict):
        document = {"format": 1, **document}
    snapshot_id = place.objects.put_bytes(json.dumps(document).encode())
    with pytest.raises(FormatError):
        place.make(snapshot_id)
    assert list(place.root.rglob("out")) == []


def test_a_newer_format_is_refused_with_a_hint(place):
    snapshot_id = place.objects.put_bytes(b'{"format": 2, "files": {}, "links": {}, "directories": []}')
    with pytest.raises(FormatError, match=r"(?s)newer than 1.*hint:"):
        place.make(snapshot_id)


@pytest.mark.parametrize("damage", ["gone", "cut", "manifest gone", "manifest garbled"])
def test_missing_and_damaged_contents_are_told(place, damage):
    (place.source / "a.py").write_text("abc")
    snapshot_id = place.snapshot()
    victim = place.objects.path(snapshot_id if "manifest" in damage else hashlib.sha256(b"abc").hexdigest())
    os.chmod(victim, 0o644)
    if "gone" in damage:
        os.unlink(victim)
    else:
        os.truncate(victim, 1)
    with pytest.raises(FormatError, match=r"missing|damaged"):
        place.make(snapshot_id)


def test_a_manifest_reads_back_as_it_was_written():
    manifest = Manifest({os.fsdecode(b"\xff"): (SHA, 4, 0o600)}, {"l": "é"}, ["z", "a"])
    encoded = manifest.encode()
    assert encoded == Manifest(manifest.files, manifest.links, ["a", "z"]).encode()
    assert json.loads(encoded)["directories"] == ["a", "z"]
