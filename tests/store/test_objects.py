"""Content-addressed objects: once, whole, read-only, by many writers."""

import hashlib
import os
import stat
import subprocess
import sys
import threading

import pytest

from amlnb.errors import AmlnbError, FormatError, SnapshotException
from amlnb.store.objects import UNFINISHED, ObjectStore

SIZES = [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000]


@pytest.fixture
def objects(tmp_path):
    return ObjectStore(tmp_path / "objects")


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_kept_under_the_hash_of_its_content(objects, tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    stored = objects.put_file(str(tmp_path / "f"))
    assert stored.sha == hashlib.sha256(data).hexdigest() == objects.put_bytes(data)
    assert objects.read(stored.sha) == data
    assert stored.status.st_size == size
    assert stat.S_IMODE(os.stat(objects.path(stored.sha)).st_mode) == 0o444
    assert os.listdir(f"{objects.root}/{UNFINISHED}") == []


def test_an_object_is_never_more_readable_than_its_file(objects, tmp_path):
    for size in (10, 2_000_000):
        secret = tmp_path / f"secret{size}"
        secret.write_bytes(b"k" * size)
        secret.chmod(0o600)
        assert stat.S_IMODE(os.stat(objects.path(objects.put_file(str(secret)).sha)).st_mode) == 0o400


def test_an_object_put_again_is_not_written_but_marked_as_used(objects):
    sha = objects.put_bytes(b"content")
    inode = os.stat(objects.path(sha)).st_ino
    os.utime(objects.path(sha), (1, 1))
    assert objects.put_bytes(b"content") == sha
    after = os.stat(objects.path(sha))
    assert after.st_ino == inode
    assert after.st_mtime > 1_000_000


def test_an_object_cut_short_by_a_crash_is_written_again(objects):
    sha = objects.put_bytes(b"content")
    os.chmod(objects.path(sha), 0o644)
    os.truncate(objects.path(sha), 0)
    objects.put_bytes(b"content")
    assert objects.read(sha) == b"content"


def test_a_damaged_object_is_told(objects):
    sha = objects.put_bytes(b"content")
    os.chmod(objects.path(sha), 0o644)
    with open(objects.path(sha), "wb") as file:
        file.write(b"CONTENT")
    with pytest.raises(FormatError, match="damaged"):
        objects.read(sha)


def test_a_missing_object_is_told_with_a_hint(objects):
    with pytest.raises(FormatError, match=r"(?s)missing.*hint:"):
        objects.open("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "G" * 64, "A" * 64])
def test_what_is_no_hash_names_no_object(objects, name):
    with pytest.raises(FormatError, match="64 hex digits"):
        objects.path(name)


@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_a_file_that_always_changes_while_read_is_refused_by_name(objects, tmp_path, size):
    path = tmp_path / "growing.log"
    path.write_bytes(b"x" * size)
    stop = threading.Event()

    def grow():
        with open(path, "ab", buffering=0) as file:
            while not stop.is_set() and file.tell() < 1 << 28:
                file.write(b"y" * 4096)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        refusal = None
        for _ in range(2000):
            try:
                objects.put_file(str(path))
            except SnapshotException as error:
                refusal = error
                break
    finally:
        stop.set()
        thread.join()
    assert "growing.log" in str(refusal)
    objects.put_bytes(b"another")
    assert os.listdir(f"{objects.root}/{UNFINISHED}") == []


def test_a_pipe_in_a_files_place_is_refused_without_waiting(objects, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SnapshotException, match="not a regular file"):
        objects.put_file(str(tmp_path / "pipe"))


def test_many_processes_put_the_same_contents_at_once(objects, tmp_path):
    program = (
        "import sys; from amlnb.store.objects import ObjectStore\n"
        "store = ObjectStore(sys.argv[1])\n"
        "print(*[store.put_bytes(b'%d' % (i % 20) * 1000) for i in range(200)])"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, objects.root], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    outputs = {writer.communicate()[0] for writer in writers}
    assert [writer.returncode for writer in writers] == [0] * 6
    assert len(outputs) == 1
    shas = set(outputs.pop().split())
    assert len(shas) == 20
    assert all(hashlib.sha256(objects.read(sha)).hexdigest() == sha for sha in shas)
    assert os.listdir(f"{objects.root}/{UNFINISHED}") == []


def test_a_store_that_cannot_be_written_tells_where_and_what_to_do(tmp_path):
    (tmp_path / "objects").write_bytes(b"a file in the directory's place")
    with pytest.raises(AmlnbError, match=r"cannot write an object below .*objects.*Not a directory"):
        ObjectStore(tmp_path / "objects").put_bytes(b"x")
