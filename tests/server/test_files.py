"""Files of a run: what they are, what they hold, and that nothing else can be had by way of them."""

import json
import os
import subprocess
import sys

import numpy as np
import psutil
import pytest

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
def put(make_run):
    directory = make_run("r")

    def write(name, data):
        path = os.path.join(directory, "work", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return directory

    return write


def fetched(answer):
    with os.fdopen(answer.file.descriptor, "rb") as file:
        file.seek(answer.file.first)
        return file.read(answer.file.length)


def test_files_are_listed(api, put, key):
    put("outputs/deep/a.txt", b"abc")
    told = api.get(f"w/{key}/runs/r/files")["files"]
    assert [(each["name"], each["bytes"]) for each in told] == [("outputs/deep/a.txt", 3)]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", "héllo".encode(), {"kind": "text", "text": "héllo", "truncated": False}),
        ("a.bin", b"\0\1\2", {"kind": "none", "note": "3 B that cannot be shown: download it"}),
        ("a.svg", b"<svg onload=alert(1)>", {"kind": "text", "text": "<svg onload=alert(1)>", "truncated": False}),
        ("a.png", PNG, {"kind": "image", "bytes": 28}),
        ("not.png", b"<html>", {"kind": "text", "text": "<html>", "truncated": False}),
        ("a.csv", b'x,y\n1,"a,b"\n', {"kind": "table", "columns": ["x", "y"], "rows": [["1", "a,b"]], "truncated": False, "note": None}),
        ("a.tsv", b"x\ty\n1\t2\n", {"kind": "table", "columns": ["x", "y"], "rows": [["1", "2"]], "truncated": False, "note": None}),
        ("a.json", b'[{"a": 1}, {"b": [2]}]', {"kind": "table", "columns": ["a", "b"], "rows": [["1", ""], ["", "[2]"]], "truncated": False, "note": None}),
        ("lists.json", b'{"a": [1, 2], "b": [3]}', {"kind": "table", "columns": ["a", "b"], "rows": [["1", "3"], ["2", ""]], "truncated": False, "note": None}),
        ("plain.json", b'{"a":1}', {"kind": "text", "text": '{\n  "a": 1\n}', "truncated": False}),
        ("numbers.jsonl", b"1\n2\n", {"kind": "text", "text": "1\n2\n", "truncated": False}),
        ("empty.csv", b"", {"kind": "text", "text": "", "truncated": False}),
        ("latin.txt", b"a\xfcb and more", {"kind": "none", "note": "12 B that cannot be shown: download it"}),
        ("broken.json", b"{", {"kind": "text", "text": "{", "truncated": False}),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', {"kind": "table", "columns": ["a"], "rows": [["1"], ["2"]], "truncated": False, "note": None}),
        ("deep.json", b"[" * 100_000, {"kind": "text", "text": "[" * 100_000, "truncated": False}),
        ("broken.npy", b"\x93NUMPY\1\0v\0{", {"kind": "none"}),
        ("cut.png", b"", {"kind": "text", "text": "", "truncated": False}),
    ],
)  # fmt: skip
def test_what_a_file_holds_is_shown(api, put, key, name, data, expected):
    put(f"outputs/{name}", data)
    told = api.get(f"w/{key}/runs/r/preview", name=f"outputs/{name}")
    assert {each: told[each] for each in expected} == expected


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.arange(500.0),
        np.float32(3.5),
        np.zeros((3, 4, 5)),
        np.zeros((0, 3)),
        np.array([(1, 2.5)], dtype=[("a", int), ("b", float)]),
        np.asfortranarray(np.zeros((3, 4))),
        np.array(["ab", "c"]),
        np.array(["2026-11-21"], "datetime64[D]"),
    ],
)
def test_an_array_is_shown_by_its_first_rows(api, put, key, tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    put("outputs/a.npy", (tmp_path / "a.npy").read_bytes())
    told = api.get(f"w/{key}/runs/r/preview", name="outputs/a.npy")
    assert str(np.asarray(array).dtype) in told["note"]
    if told["kind"] == "table":
        assert len(told["rows"]) == min(200, len(array) if array.ndim else 1)


def test_objects_are_never_unpickled(api, put, key, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "made"),))

    np.save(tmp_path / "a.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    put("outputs/a.npy", (tmp_path / "a.npy").read_bytes())
    assert api.get(f"w/{key}/runs/r/preview", name="outputs/a.npy")["kind"] == "none"
    assert not (tmp_path / "made").exists()


def test_an_array_that_lost_its_end_is_shown_as_far_as_it_goes(api, put, key, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((1000, 1000)))
    put("outputs/a.npy", (tmp_path / "a.npy").read_bytes()[:20_000])
    assert len(api.get(f"w/{key}/runs/r/preview", name="outputs/a.npy")["rows"]) == 3


def test_a_text_that_is_cut_within_a_letter_is_shown_up_to_it(api, put, key):
    put("outputs/a.txt", "ü".encode() * 1_000_000 + b"x")
    put("outputs/b.txt", b"x" + "ü".encode() * 1_000_000)
    for name in ("a", "b"):
        told = api.get(f"w/{key}/runs/r/preview", name=f"outputs/{name}.txt")
        assert (told["kind"], told["truncated"], told["text"][-1]) == ("text", True, "ü")


def test_a_picture_that_is_too_large_is_not_shown(api, put, key):
    directory = put("outputs/a.png", PNG)
    os.truncate(os.path.join(directory, "work", "outputs", "a.png"), 1 << 30)
    told = api.get(f"w/{key}/runs/r/preview", name="outputs/a.png")
    assert told == {"kind": "none", "note": "a picture of 1.1 GB: download it"}


def test_a_long_file_is_shown_in_part(api, put, key):
    put("outputs/a.csv", b"x\n" + b"1\n" * 1_000_000)
    told = api.get(f"w/{key}/runs/r/preview", name="outputs/a.csv")
    assert (len(told["rows"]), told["truncated"]) == (200, True)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(psutil.Process, "io_counters"), reason="this system does not count what is read")
def test_of_a_parquet_file_only_the_beginning_is_read(api, put, key, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet files are read by pyarrow")
    program = (
        "import sys, pyarrow, pyarrow.parquet;"
        "table = pyarrow.table({'a': range(4_000_000)});"
        "pyarrow.parquet.write_table(table, sys.argv[1], row_group_size=4_000_000, use_dictionary=False, compression='none')"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, tmp_path / "a.parquet"], check=True, timeout=120, env=environ)
    put("outputs/a.parquet", (tmp_path / "a.parquet").read_bytes())
    before = psutil.Process().io_counters()
    told = api.get(f"w/{key}/runs/r/preview", name="outputs/a.parquet")
    read = psutil.Process().io_counters().read_chars - before.read_chars
    assert (told["columns"], told["rows"][:2], told["note"]) == (["a"], [["0"], ["1"]], "4,000,000 rows")
    assert read < 16_000_000, "the file has twice as much"


@pytest.mark.parametrize(
    ("name", "data"),
    [("page.html", b"<script>alert(1)</script>"), ("a.svg", b"<svg>"), ("a.png", b"<script>"), ("a.pdf", b"%PDF")],
)
def test_nothing_a_run_wrote_is_code_in_the_pages_origin(api, put, key, name, data):
    put(f"outputs/{name}", data)
    for inline in (0, 1):
        found = api.ask("GET", f"w/{key}/runs/r/download", name=f"outputs/{name}", inline=inline)
        assert found.content_type == "application/octet-stream"
        assert found.headers["Content-Disposition"].startswith("attachment")
        assert fetched(found) == data


def test_a_picture_is_shown_inline_where_it_is_asked_for(api, put, key):
    put("outputs/a.png", PNG)
    found = api.ask("GET", f"w/{key}/runs/r/download", name="outputs/a.png", inline=1)
    assert (found.content_type, fetched(found)) == ("image/png", PNG)


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=a-b", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_a_part_of_a_file_is_served(api, put, key, asked, status, expected):
    put("outputs/a.txt", b"0123456789")
    found = api.ask("GET", f"w/{key}/runs/r/download", name="outputs/a.txt", headers={"Range": asked})
    assert (found.status, fetched(found)) == (status, expected)


def test_a_part_behind_the_end_is_refused(api, put, key):
    put("outputs/a.txt", b"0123456789")
    found = api.ask("GET", f"w/{key}/runs/r/download", name="outputs/a.txt", headers={"Range": "bytes=10-"})
    assert found.status == 416


@pytest.mark.parametrize(
    "name",
    [
        "../run.json", "outputs/../../run.json", "/etc/passwd", "outputs//a.txt", "outputs/./a.txt", "", ".", "..",
        "run.json", "work/outputs/a.txt", "outputs/link", "outputs/folder/passwd", "outputs", "outputs/missing",
        "outputs/a.txt/", "journals/0.events", "user_logs/../run.json", "outputs/fifo",
    ],
)  # fmt: skip
def test_nothing_else_can_be_had_by_way_of_a_file(api, put, key, name):
    directory = put("outputs/a.txt", b"x")
    outputs = os.path.join(directory, "work", "outputs")
    os.symlink("/etc/passwd", os.path.join(outputs, "link"))
    os.symlink("/etc", os.path.join(outputs, "folder"))
    os.mkfifo(os.path.join(outputs, "fifo"))
    for route, query in (("download", {"name": name}), ("preview", {"name": name}), ("log", {"file": name})):
        status, told = api.refused(f"w/{key}/runs/r/{route}", **query)
        assert status == 404
        assert "root:" not in json.dumps(told)


def test_a_link_within_the_run_is_one_of_its_files(api, put, key):
    directory = put("outputs/a.txt", b"x")
    os.symlink("a.txt", os.path.join(directory, "work", "outputs", "b.txt"))
    assert fetched(api.ask("GET", f"w/{key}/runs/r/download", name="outputs/b.txt")) == b"x"
