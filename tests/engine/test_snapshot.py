"""Snapshots: the same source has the same id, unchanged files are not read, and nothing odd is lost in silence."""

import json
import os
import socket
import time

import pytest

from amlnb.core.manifest import decode
from amlnb.engine.snapshot import SnapshotLimits, take_snapshot
from amlnb.errors import SnapshotException
from amlnb.store.objects import ObjectStore


def later():
    """A clock by which every file written so far is long settled."""
    return time.time_ns() + 3_600_000_000_000


class Project:
    """A source directory beside its objects."""

    def __init__(self, root):
        self.source = root / "source"
        self.source.mkdir()
        self.objects = ObjectStore(root / "objects")
        self.cache_dir = str(root / "cache")

    def write(self, path, content="x", mode=None):
        full = os.path.join(os.fsencode(self.source), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content.encode())
        if mode is not None:
            os.chmod(full, mode)

    def link(self, path, target):
        (self.source / path).parent.mkdir(parents=True, exist_ok=True)
        (self.source / path).symlink_to(target)

    def take(self, **options):
        return take_snapshot(self.source, self.objects, self.cache_dir, **{"now_ns": later, **options})

    def cache_file(self):
        (name,) = os.listdir(self.cache_dir + "/snapshots")
        return f"{self.cache_dir}/snapshots/{name}"

    def manifest(self, snapshot):
        return decode(self.objects.read(snapshot.id), snapshot.id)

    def contents(self, snapshot):
        return {path: self.objects.read(file[0]).decode() for path, file in self.manifest(snapshot).files.items()}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_the_manifest_holds_content_size_and_mode(project):
    project.write("train.py", "print(1)")
    project.write("pkg/run.sh", "#!/bin/sh", mode=0o755)
    (project.source / "empty" / "inner").mkdir(parents=True)
    snapshot = project.take()
    manifest = project.manifest(snapshot)
    assert project.contents(snapshot) == {"train.py": "print(1)", "pkg/run.sh": "#!/bin/sh"}
    assert manifest.files["pkg/run.sh"][1:] == (9, 0o755)
    assert manifest.directories == ["empty/inner"]
    assert (snapshot.files, snapshot.bytes, snapshot.reused) == (2, 17, 0)


def test_the_same_source_has_the_same_id_anywhere(tmp_path):
    ids = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        project = Project(tmp_path / name)
        for path in sorted(["z.py", "a/b.py", "a/c.py"], reverse=name == "b"):
            project.write(path, path, mode=0o644)
        ids.append(project.take().id)
    assert ids[0] == ids[1]


def test_unchanged_files_are_not_read_again(project, monkeypatch):
    project.write("a.py", "1")
    project.write("b.py", "2")
    first = project.take()

    def read(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(project.objects, "put_file", read)
    again = project.take()
    assert (again.id, again.reused, again.files, again.bytes) == (first.id, 2, 2, 2)


def test_only_what_changed_is_read(project):
    project.write("a.py", "1")
    project.write("b.py", "2")
    first = project.take()
    project.write("b.py", "3")
    second = project.take()
    assert second.reused == 1
    assert second.id != first.id
    assert project.contents(second) == {"a.py": "1", "b.py": "3"}
    project.write("b.py", "2")
    assert project.take().id == first.id


@pytest.mark.parametrize("change", ["remove", "rename", "mode", "new", "link", "directory"])
def test_every_kind_of_change_is_seen(project, change):
    project.write("a.py", "1")
    project.write("b.py", "2")
    first = project.take()
    b = project.source / "b.py"
    if change == "remove":
        b.unlink()
    elif change == "rename":
        b.rename(project.source / "c.py")
    elif change == "mode":
        b.chmod(0o755)
    elif change == "new":
        project.write("sub/new.py", "3")
    elif change == "link":
        project.link("l", "a.py")
    else:
        (project.source / "empty").mkdir()
    assert project.take().id != first.id


def test_a_file_as_new_as_the_snapshot_is_read_again(project):
    project.write("a.py", "1")
    before = os.stat(project.source / "a.py")
    first = project.take(now_ns=time.time_ns)
    # The same size within the same tick of the file system's clock: nothing but the content tells.
    descriptor = os.open(project.source / "a.py", os.O_WRONLY)
    os.pwrite(descriptor, b"2", 0)
    os.close(descriptor)
    cache = project.cache_file()
    with open(cache) as file:
        head, entries = file.readline(), json.loads(file.readline())
    after = os.stat(project.source / "a.py")
    assert after.st_size == before.st_size
    entries["a.py"][:4] = [after.st_size, after.st_mtime_ns, after.st_ino, after.st_ctime_ns]
    with open(cache, "w") as file:
        file.write(head + json.dumps(entries) + "\n")
    second = project.take(now_ns=time.time_ns)
    assert second.id != first.id
    assert project.contents(second) == {"a.py": "2"}


def test_a_damaged_cache_costs_only_time(project):
    project.write("a.py", "1")
    first = project.take()
    cache = project.cache_file()
    for garbage in (b"", b"\xff\x00", b"[]\n[]\n", b'{"format": 1}\n', b'{"format": 99}\n{}\n'):
        with open(cache, "wb") as file:
            file.write(garbage)
        assert project.take().id == first.id


def test_contents_that_were_deleted_are_kept_again(project):
    project.write("a.py", "1")
    first = project.take()
    sha = project.manifest(first).files["a.py"][0]
    os.unlink(project.objects.path(first.id))
    os.unlink(project.objects.path(sha))
    assert project.take().id == first.id
    assert project.contents(first) == {"a.py": "1"}


def test_our_data_version_control_and_caches_are_never_taken(project):
    for folder in (".amlnb", ".git", ".venv", "__pycache__", ".ipynb_checkpoints"):
        project.write(f"{folder}/x")
        project.write(f"sub/{folder}/x")
    project.write("other/.git", "gitdir: elsewhere")
    project.write("a.py")
    assert set(project.contents(project.take())) == {"a.py"}


def test_data_that_live_elsewhere_in_the_source_are_not_taken(tmp_path):
    project = Project(tmp_path)
    project.objects = ObjectStore(project.source / "my-runs" / "objects")
    project.write("a.py")
    first = project.take()
    assert project.take().id == first.id
    assert set(project.contents(first)) == {"a.py"}


def test_ignored_files_are_left_out_and_an_amlignore_goes_before_a_gitignore(project):
    project.write(".gitignore", "*.csv\n")
    project.write("data.csv")
    project.write("logs/big/x.log")
    assert set(project.contents(project.take())) == {".gitignore", "logs/big/x.log"}
    project.write(".amlignore", "logs/\n")
    assert set(project.contents(project.take())) == {".gitignore", ".amlignore", "data.csv"}


ODD_NAMES = [
    "with space",
    "quote'",
    'double"',
    "new\nline",
    "é",
    "日本",
    "-dash",
    "back\\slash",
    "$HOME",
    "a;b",
    "tab\t",
    ".hidden",
]


def test_odd_names_are_kept_as_they_are(project):
    raw = os.fsdecode(b"caf\xe9-\xff")
    for name in [*ODD_NAMES, raw]:
        project.write(f"{name}/{name}", name if name != raw else "raw")
    snapshot = project.take()
    assert set(project.contents(snapshot)) == {f"{name}/{name}" for name in [*ODD_NAMES, raw]}
    assert project.objects.read(snapshot.id).isascii()
    assert project.take().id == snapshot.id


def test_links_inside_the_source_stay_links(project):
    project.write("data/real.csv")
    project.write("pkg/a.py")
    project.link("to-file", "data/real.csv")
    project.link("to-directory", "data")
    project.link("pkg/up", "../data/real.csv")
    project.link("chain", "to-file")
    project.link("absolute", project.source / "data" / "real.csv")
    project.link("self-again", ".")
    snapshot = project.take()
    assert project.manifest(snapshot).links == {
        "to-file": "data/real.csv",
        "to-directory": "data",
        "pkg/up": "../data/real.csv",
        "chain": "to-file",
        "absolute": "data/real.csv",
        "self-again": ".",
    }
    assert set(project.contents(snapshot)) == {"data/real.csv", "pkg/a.py"}
    assert snapshot.warnings == ()


def test_a_file_outside_or_left_out_is_taken_in_its_links_place(project, tmp_path):
    (tmp_path / "shared.py").write_text("shared")
    project.write(".amlignore", "cache/\n")
    project.write("cache/model.bin", "model")
    project.link("shared.py", "../shared.py")
    project.link("model.bin", "cache/model.bin")
    snapshot = project.take()
    assert project.contents(snapshot) == {".amlignore": "cache/\n", "shared.py": "shared", "model.bin": "model"}
    (tmp_path / "shared.py").write_text("changed")
    assert project.contents(project.take())["shared.py"] == "changed"


def test_a_directory_outside_stays_a_link_and_that_is_told(project, tmp_path):
    (tmp_path / "dataset").mkdir()
    project.link("data", "../dataset")
    snapshot = project.take()
    assert project.manifest(snapshot).links == {"data": str(tmp_path / "dataset")}
    assert "'data' is kept as a link" in snapshot.warnings[0]


def test_broken_links_and_loops_stay_what_they_are(project, tmp_path):
    project.link("nowhere", "missing/file")
    project.link("far", "../../missing")
    project.link("loop", "loop")
    project.link("ping", "pong")
    project.link("pong", "ping")
    links = project.manifest(project.take()).links
    assert links["nowhere"] == "missing/file"
    assert links["far"] == os.path.normpath(tmp_path / "source" / "../../missing")
    assert (links["loop"], links["ping"], links["pong"]) == ("loop", "pong", "ping")


def test_pipes_and_sockets_are_left_out_and_told(project):
    os.mkfifo(project.source / "pipe")
    project.write("a.py")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(project.source)
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        snapshot = project.take()
    assert set(project.contents(snapshot)) == {"a.py"}
    assert sorted(snapshot.warnings) == [
        "'pipe' was left out: it is a named pipe",
        "'socket' was left out: it is a socket",
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="another user's view is taken by setting the effective user id")
def test_what_cannot_be_read_is_refused_by_name(project, tmp_path):
    project.write("secret.key", mode=0o000)
    project.write("closed/x")
    (project.source / "closed").chmod(0o000)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(SnapshotException, match=r"'closed'.*Permission denied") as refusal:
            project.take()
        os.seteuid(0)
        (project.source / "closed").chmod(0o755)
        (tmp_path / "objects").mkdir()
        (tmp_path / "objects").chmod(0o777)
        os.seteuid(65534)
        with pytest.raises(SnapshotException, match=r"'secret\.key'.*Permission denied"):
            project.take()
    finally:
        os.seteuid(0)
        (project.source / "closed").chmod(0o755)
    assert ".amlignore" in refusal.value.hint


def test_too_many_bytes_are_refused_in_v1s_words(project):
    project.write("big.bin", "x" * 3000)
    project.write("a.py")
    with pytest.raises(SnapshotException) as refusal:
        project.take(limits=SnapshotLimits(max_bytes=2000))
    lines = refusal.value.message.splitlines()
    assert set(lines[1]) == {"="} == set(lines[-1])
    assert f"While attempting to take snapshot of {project.source}" in lines
    assert "Your total snapshot size exceeds the limit of 0.0 MB." in lines
    assert "Please see http://aka.ms/aml-largefiles on how to work with large files." in lines
    assert "big.bin" in refusal.value.hint


def test_the_count_is_of_files_changed_since_the_last_snapshot(project):
    few = SnapshotLimits(max_changed_files=3)
    for number in range(3):
        project.write(f"a{number}")
    project.take(limits=few)
    for number in range(3):
        project.write(f"b{number}")
    assert project.take(limits=few).files == 6
    for number in range(4):
        project.write(f"sub/c{number}")
    with pytest.raises(SnapshotException, match=r"4 files that are new or changed; the limit is 3") as refusal:
        project.take(limits=few)
    assert "'sub' (4)" in refusal.value.hint
    assert project.take(limits=SnapshotLimits(max_changed_files=None)).files == 10


def test_limits_come_from_the_environment():
    assert SnapshotLimits.from_environ({}) == SnapshotLimits(300 * 1024 * 1024, 2000)
    assert SnapshotLimits.from_environ({"AML_SNAPSHOT_NO_FILE_LIMIT": "True"}).max_changed_files is None
    assert SnapshotLimits.from_environ({"AML_SNAPSHOT_NO_FILE_LIMIT": "0"}).max_changed_files == 2000
    assert SnapshotLimits.from_environ({}, max_bytes=5).max_bytes == 5
    assert SnapshotLimits.from_environ({"AMLNB_SNAPSHOT_MAX_BYTES": "7"}, max_bytes=5).max_bytes == 7
    with pytest.raises(SnapshotException, match="'1GB'"):
        SnapshotLimits.from_environ({"AMLNB_SNAPSHOT_MAX_BYTES": "1GB"})


def test_a_missing_source_directory_is_told(project, tmp_path):
    for wrong in (tmp_path / "nowhere", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(SnapshotException, match=f"{wrong.name}.* is not a directory"):
            take_snapshot(wrong, project.objects, project.cache_dir)


def test_chosen_paths_and_given_contents_make_a_snapshot_too(project):
    project.write("helper.py", "h")
    project.write("data/a.csv", "1")
    project.write("data/__pycache__/x", "1")
    project.write("notebook.ipynb", "not this")
    project.write(".gitignore", "data/\n")
    snapshot = project.take(only=["helper.py", "data", "data/a.csv"], extra={"cell.py": b"import helper"})
    assert project.contents(snapshot) == {"helper.py": "h", "data/a.csv": "1", "cell.py": "import helper"}
    again = project.take(only=["helper.py", "data"], extra={"cell.py": b"import helper"})
    assert (again.id, again.reused, again.bytes) == (snapshot.id, 2, 15)
    other = project.take(only=["helper.py", "data"], extra={"cell.py": b"import other"})
    assert (project.contents(other)["cell.py"], other.reused) == ("import other", 2)


@pytest.mark.parametrize(("path", "message"), [("../x", "outside of the source"), ("missing.py", "No such file")])
def test_a_chosen_path_that_cannot_be_had_is_refused_by_name(project, path, message):
    with pytest.raises(SnapshotException, match=rf"{path}.*{message}"):
        project.take(only=[path])


def test_the_source_itself_may_be_chosen(project):
    project.write("a.py")
    assert project.take(only=["."]).id == project.take().id


def test_a_source_reached_through_a_link_is_the_same_source(project, tmp_path):
    project.write("a.py")
    first = project.take()
    (tmp_path / "alias").symlink_to(project.source)
    again = take_snapshot(tmp_path / "alias", project.objects, project.cache_dir, now_ns=later)
    assert (again.id, again.reused) == (first.id, 1)


def test_a_directory_whose_content_is_left_out_is_kept_empty(project):
    project.write(".amlignore", "outputs/*\n")
    project.write("outputs/old.pkl")
    assert project.manifest(project.take()).directories == ["outputs"]
