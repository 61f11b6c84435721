"""What leaves a home and what a mirror takes: whole records, in an order that can be read, and nothing outside."""

import json
import os

import pytest

from amlnb.compute.ssh_mirror import Mirror
from amlnb.core import frames
from amlnb.core.records import SIZE, pack_float
from amlnb.errors import BackendUnavailable
from amlnb.runner.relay_feed import Budget, RunFeed


@pytest.fixture
def places(tmp_path):
    for name in ("home", "mirror"):
        for folder in ("edits", "journals", "attempts", "user_logs", "work/logs", "work/outputs"):
            (tmp_path / name / folder).mkdir(parents=True)
    return tmp_path / "home", tmp_path / "mirror"


class Connection:
    """A feed and a mirror joined as the ssh back end joins them."""

    def __init__(self, places):
        self.home, directory = places
        self.mirror = Mirror(str(directory))
        self.log = []
        self.feed = RunFeed(str(self.home), self.mirror.have(), self.mirror.edit_names(), self.send)

    def send(self, header, data):
        ((header, data),) = frames.Decoder().feed(frames.encode(header, data))
        self.log.append((header.get("path") or header.get("edit"), len(data)))
        self.mirror.take(header, data)

    def look(self, size=1 << 20):
        return self.feed.look(Budget(size))


def contents(folder):
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                found[os.path.relpath(os.path.join(top, name), folder)] = file.read()
    return found


def write(path, data, mode="ab"):
    with open(path, mode) as file:
        file.write(data)


def test_a_writers_lines_come_before_its_records_and_only_whole_ones(places):
    home, mirror = places
    connection = Connection(places)
    write(home / "journals/0.metrics", pack_float(1, 0, 0xA31B, 0, 1.0, 2.0) + b"torn record")
    write(home / "journals/0.events", b'{"t":"name"}\n{"t":"na')
    assert not connection.look()
    assert [path for path, size in connection.log if size] == ["journals/0.events", "journals/0.metrics"]
    assert (mirror / "journals/0.events").read_bytes() == b'{"t":"name"}\n'
    assert (mirror / "journals/0.metrics").stat().st_size == SIZE
    write(home / "journals/0.events", b'me"}\n')
    connection.look()
    assert (mirror / "journals/0.events").read_bytes() == (home / "journals/0.events").read_bytes()


def test_records_wait_until_all_lines_they_may_need_have_come(places):
    home, mirror = places
    connection = Connection(places)
    write(home / "journals/0.events", b"x" * 99 + b"\n" + b"y" * 300_000 + b"\n")
    write(home / "journals/0.metrics", b"r" * SIZE)
    connection.look(100)
    assert not (mirror / "journals/0.metrics").exists()
    while contents(mirror) != contents(home):
        before = contents(mirror)
        connection.look(100)
        if contents(mirror).get("journals/0.metrics"):
            assert before["journals/0.events"] == (home / "journals/0.events").read_bytes()


def test_a_sealed_run_comes_with_its_torn_tails_and_its_outputs(places):
    home, mirror = places
    write(home / "journals/0.metrics", b"r" * SIZE + b"torn")
    write(home / "journals/0.events", b'{"a":1}\n{"torn')
    write(home / "work/outputs/model.bin", b"m" * 1000)
    write(home / "work/outputs/empty", b"")
    connection = Connection(places)
    assert not connection.look()
    assert "work/outputs/model.bin" not in contents(mirror)
    write(home / "final.json", b"{}")
    assert connection.look()
    assert {**contents(mirror), "final.json": b"{}"} == contents(home)


def test_a_new_connection_goes_on_where_the_mirror_is(places):
    home, mirror = places
    write(home / "user_logs/std_log.txt", b"0123456789")
    Connection(places).look()
    write(home / "user_logs/std_log.txt", b"abc")
    second = Connection(places)
    second.look()
    assert second.log == [("user_logs/std_log.txt", 3)]
    assert contents(mirror) == contents(home)


@pytest.mark.parametrize("change", ["shorter", "replaced"])
def test_a_file_that_began_anew_begins_anew_in_the_mirror(places, change):
    home, mirror = places
    connection = Connection(places)
    log = home / "work/logs/rotating.log"
    write(log, b"first version")
    connection.look()
    if change == "shorter":
        write(log, b"second", "wb")
    else:
        write(home / "work/logs/new", b"another file, longer")
        os.rename(home / "work/logs/new", log)
    connection.look()
    assert contents(mirror)["work/logs/rotating.log"] == log.read_bytes()


def test_edits_go_both_ways_once(places):
    home, mirror = places
    write(home / "edits/00000001-aaaaaaaa.json", b'{"op": "tags", "tags": {"there": "1"}}')
    write(mirror / "edits/00000001-bbbbbbbb.json", b'{"op": "cancel", "by": "me"}')
    write(home / "edits/.new-00000002-cccccccc.json", b"unfinished")
    connection = Connection(places)
    connection.look()
    new = connection.mirror.new_edits()
    assert list(new) == ["00000001-bbbbbbbb.json"]
    connection.feed.take_edits(new)
    connection.mirror.edits_arrived(list(new))
    assert connection.mirror.new_edits() == {}
    connection.log.clear()
    connection.look()
    assert connection.log == []
    for place in (home, mirror):
        found = {
            name: json.loads(data) for name, data in contents(place / "edits").items() if not name.startswith(".new")
        }
        assert found == {
            "00000001-aaaaaaaa.json": {"op": "tags", "tags": {"there": "1"}},
            "00000001-bbbbbbbb.json": {"op": "cancel", "by": "me"},
        }


def test_unfinished_files_are_not_sent(places):
    home, mirror = places
    write(home / "attempts/1.json.1a2b3c", b"{")
    os.makedirs(home / "artifacts")
    write(home / "artifacts/.new-1", b"x")
    Connection(places).look()
    assert contents(mirror) == {}


def test_differing_files_are_sent_anew(places):
    home, mirror = places
    write(home / "work/logs/a.log", b"right")
    write(mirror / "work/logs/a.log", b"wrong")
    connection = Connection(places)
    connection.look()
    hashes = connection.mirror.hashes(1 << 20, set())
    assert connection.feed.differing(hashes) == ["work/logs/a.log"]
    connection.look()
    assert contents(mirror) == contents(home)
    assert connection.feed.differing(connection.mirror.hashes(1 << 20, set())) == []


@pytest.mark.parametrize(
    "header",
    [
        {"path": "../out", "at": 0},
        {"path": "/etc/out", "at": 0},
        {"path": "work/../../out", "at": 0},
        {"path": "run.json", "at": 0},
        {"path": "final.json", "at": 0},
        {"path": "edits/1-a.json", "at": 0},
        {"path": "work", "at": 0},
        {"path": "work//x", "at": 0},
        {"path": "work/x", "at": -1},
        {"edit": "../x.json", "value": {}},
        {"edit": "00000001-a/../../x.json", "value": {}},
    ],
)
def test_a_home_cannot_write_outside_of_its_run(places, header, tmp_path):
    mirror = Mirror(str(places[1]))
    with pytest.raises(BackendUnavailable, match="the home sent"):
        mirror.take(header, b"evil")
    assert not list(tmp_path.rglob("*out"))
    assert contents(places[1]) == {}


@pytest.mark.parametrize(
    "path",
    ["work/logs/run/events", "artifacts/taken", "artifacts/" + "x" * 300],
    ids=["below a file", "folder", "long"],
)
def test_a_file_that_cannot_be_here_is_told_and_holds_up_nobody(places, path):
    here = places[1]
    (here / "work/logs").mkdir(parents=True, exist_ok=True)
    (here / "work/logs/run").write_text("it was a file first")
    (here / "artifacts/taken").mkdir(parents=True)
    mirror = Mirror(str(here))
    mirror.take({"path": path, "at": 0}, b"x")
    mirror.take({"path": "work/logs/other", "at": 0}, b"x")
    mirror.finish('{"state": "Completed", "warnings": ["first"]}')
    assert (here / "work/logs/other").read_text() == "x"
    warnings = json.loads((here / "final.json").read_text())["warnings"]
    assert (warnings[0], len(warnings), path in warnings[1]) == ("first", 2, True)


def test_a_home_cannot_write_through_a_link(places, tmp_path):
    (places[1] / "work/logs/link").symlink_to(tmp_path / "victim")
    with pytest.raises(BackendUnavailable):
        Mirror(str(places[1])).take({"path": "work/logs/link", "at": 0}, b"evil")
    assert not (tmp_path / "victim").exists()


def test_frames_survive_any_cutting():
    sent = [({"a": 1}, b""), ({"b": "é\udcff"}, bytes(range(256)) * 10), ({}, b"x")]
    stream = b"".join(frames.encode(header, data) for header, data in sent)
    for step in (1, 7, 100, len(stream)):
        decoder = frames.Decoder()
        got = [frame for start in range(0, len(stream), step) for frame in decoder.feed(stream[start : start + step])]
        assert got == sent


@pytest.mark.parametrize("garbage", [b"Welcome to Debian!", b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{x"])
def test_what_is_no_frame_is_refused(garbage):
    with pytest.raises(ValueError):  # noqa: PT011 - the JSON parser's own error is one of them
        frames.Decoder().feed(garbage)
