"""Journals that were cut, overwritten or are still being written: what is whole is read, and the rest is counted."""

import contextlib
import os
import tempfile

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amlnb.core import events, metrics, records
from amlnb.store import series
from amlnb.store.journals import WriterReader, list_writers
from amlnb.store.summaries import Summaries
from amlnb.tracking.journal import JournalWriter

VALUES = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none(),
    st.text(max_size=4),
    st.lists(st.none() | st.floats() | st.text(max_size=2), min_size=1, max_size=3),
)
LOGGED = st.lists(
    st.tuples(st.sampled_from(["loss", "ü\n", "\ud800"]), VALUES, st.none() | st.integers(-5, 5) | st.just(0.5)),
    min_size=1,
    max_size=12,
)
# A place in a file, whatever its length.
PLACE = st.floats(0, 1)


def place(data, share):
    return int(share * len(data))


def write(folder, logged):
    """Log all of it; return the base path of the files."""
    writer = JournalWriter(folder, "0", "")
    for name, value, step in logged:
        if isinstance(value, list):
            writer.log_line(name, events.LIST, value, step)
        elif isinstance(value, str) or isinstance(step, float):
            writer.log_line(name, events.STR if isinstance(value, str) else events.FLOAT, value, step)
        elif isinstance(value, float):
            writer.log_float(name, value, records.NO_STEP if step is None else step)
        else:
            kind = records.NONE if value is None else records.BOOL if isinstance(value, bool) else records.INT64
            writer.log_int(name, int(value or 0), records.NO_STEP if step is None else step, kind)
    writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 1.0})
    writer.close()
    return list_writers(folder)[0]


def read(base):
    reader = WriterReader(base)
    reader.refresh()
    return reader


def everything(reader):
    """All that a reader says, in a form that can be compared (NaN equals itself)."""
    columns = reader.records()
    found = [column.tobytes() for column in (columns.head, columns.step, columns.time, columns.bits)]
    for name in series.names([reader]):
        points = series.series([reader], name)
        found += [name, points.step.tobytes(), points.value.tobytes(), points.time.tobytes()]
        found.append(repr(metrics.shape("r", series.logged_values([reader], name))))
    return [*found, repr(reader.names), repr(reader.lines), repr(reader.states), reader.skipped]


@contextlib.contextmanager
def journal(logged):
    with tempfile.TemporaryDirectory() as folder:
        yield write(folder, logged)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def slots(data):
    return [data[at : at + records.SIZE] for at in range(0, len(data) // records.SIZE * records.SIZE, records.SIZE)]


def rows(reader):
    """The slots that were taken, as bytes again."""
    columns = reader.records()
    table = np.stack([columns.head, columns.step.view("<u8"), columns.time.view("<u8"), columns.bits], axis=1)
    return slots(table.tobytes())


def check_reads_what_is_whole(base):
    """Compare a reader with the two files, taken apart in the simplest way."""
    reader = read(base)
    everything(reader)  # nothing of it raises
    in_slots = slots(content(base + ".metrics"))
    valid = [slot for slot in in_slots if records.unpack(slot) is not None]
    assert rows(reader) == valid
    lines = content(base + ".events").split(b"\n")[:-1]
    decoded = [events.decode(line) for line in lines if line]
    names = {}
    for event in decoded:
        event = event or {}
        if event.get("t") == events.NAME and isinstance(event.get("id"), int) and isinstance(event.get("name"), str):
            names.setdefault(event["id"], event["name"])
    assert reader.names == names
    assert reader.skipped == len(in_slots) - len(valid) + decoded.count(None)
    return reader


@given(LOGGED)
def test_what_was_logged_is_read_back(logged):
    with journal(logged) as base:
        reader = check_reads_what_is_whole(base)
        assert reader.skipped == 0
        for name in {name for name, _, _ in logged}:
            expected = []
            for each, value, _ in logged:
                if each == name:
                    expected += value if isinstance(value, list) else [value]
            found = metrics.shape("r", series.logged_values([reader], name))
            found = found if isinstance(found, list) else [found]
            assert [repr(float(x)) if isinstance(x, (int, float)) else repr(x) for x in found] == [
                repr(float(x)) if isinstance(x, (int, float)) else repr(x) for x in expected
            ]


@given(LOGGED, PLACE, PLACE)
def test_files_cut_at_any_byte_give_what_is_whole(logged, in_metrics, in_events):
    """Nothing is counted as damage: what is torn may still be on its way."""
    with journal(logged) as base:
        for ending, share in ((".metrics", in_metrics), (".events", in_events)):
            whole = content(base + ending)
            put(base + ending, whole[: place(whole, share)])
        assert check_reads_what_is_whole(base).skipped == 0


@given(LOGGED, PLACE, st.binary(min_size=1, max_size=80))
def test_overwritten_records_cost_no_other(logged, share, garbage):
    with journal(logged) as base:
        whole = content(base + ".metrics")
        at = place(whole, share)
        damaged = (whole[:at] + garbage + whole[at + len(garbage) :])[: len(whole)]
        put(base + ".metrics", damaged)
        untouched = [slot for slot, now in zip(slots(whole), slots(damaged), strict=True) if slot == now]
        found = iter(rows(check_reads_what_is_whole(base)))
        assert all(slot in found for slot in untouched)  # in their order


@given(LOGGED, PLACE, st.binary(min_size=1, max_size=80))
def test_overwritten_lines_cost_no_other(logged, share, garbage):
    with journal(logged) as base:
        whole = content(base + ".events")
        at = place(whole, share)
        damaged = (whole[:at] + garbage + whole[at + len(garbage) :])[: len(whole)]
        put(base + ".events", damaged)
        reader = check_reads_what_is_whole(base)
        begin = 0
        for line in whole.splitlines(keepends=True):
            # A line is its own while its end, and that of the line before it, are there.
            same = damaged[max(begin - 1, 0) : begin + len(line)] == whole[max(begin - 1, 0) : begin + len(line)]
            event = events.decode(line)
            if same and event["t"] == events.VALUE:
                assert repr(reader.lines[begin]) == repr(event)
            elif same and event["t"] == events.NAME and event["id"] not in reader.names:
                raise AssertionError(event)
            begin += len(line)


@given(LOGGED, PLACE, st.binary(max_size=5), st.lists(st.tuples(PLACE, PLACE, st.booleans()), max_size=5))
def test_reading_in_slices_is_reading_at_once(logged, share, garbage, slices):
    with journal(logged) as base:
        whole = {}
        for ending in (".metrics", ".events"):
            data = content(base + ending)
            at = place(data, share)
            whole[ending] = (data[:at] + garbage + data[at + len(garbage) :])[: len(data)]
            put(base + ending, b"")
        reader = read(base)
        cuts = [sorted(cut[part] for cut in slices) for part in (0, 1)]
        for in_metrics, in_events, look in [*zip(*cuts, (cut[2] for cut in slices), strict=True), (1.0, 1.0, True)]:
            for ending, cut in ((".events", in_events), (".metrics", in_metrics)):
                put(base + ending, whole[ending][: place(whole[ending], cut)])
            reader.refresh()
            if look:
                reader.group()
                everything(reader)
        assert everything(reader) == everything(read(base))


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_garbage_alone_is_passed_over(metrics_bytes, events_bytes):
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(folder, "0-host-1-2-abc")
        put(base + ".metrics", metrics_bytes)
        put(base + ".events", events_bytes)
        check_reads_what_is_whole(base)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "k", "artifact", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)
KINDS = [
    events.STR,
    events.INT,
    events.FLOAT,
    events.LIST,
    events.ROW,
    events.TABLE,
    *events.ARTIFACT_KINDS,
    "new",
    None,
    3,
]


@given(st.lists(st.tuples(st.sampled_from(KINDS), ANYTHING, ANYTHING), max_size=5))
def test_lines_that_are_json_and_hold_anything_are_passed_over(lines):
    """What a newer version or a broken program writes."""
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(folder, "0-host-1-2-abc")
        text, table = b'{"t":"name","id":0,"name":"m"}\n', b""
        for kind, value, step in lines:
            table += records.pack_int(0, records.LINE, records.MAGIC, records.NO_STEP, 1.0, len(text))
            text += events.encode({"t": "value", "id": 0, "k": kind, "v": value, "step": step})
        text += events.encode({"t": "name", "id": [1], "name": "x"}) + events.encode({"t": "state", "phase": {}})
        put(base + ".events", text)
        put(base + ".metrics", table)
        reader = check_reads_what_is_whole(base)
        assert len(rows(reader)) == len(lines)
        Summaries().take([reader])


def test_a_name_of_a_writer_may_be_anything(tmp_path):
    for name in ("²-x.events", "-.events", ".events", "a.metrics", "٣-y.events"):
        (tmp_path / name).write_bytes(b"")
    readers = [read(base) for base in list_writers(str(tmp_path))]
    assert len(readers) == 4
    assert series.names(readers) == []


def test_a_metric_that_only_one_of_several_ranks_logged_is_found_and_the_lowest_rank_counts(tmp_path):
    for role, value in (("0", 0.0), ("1", 1.0), ("10", 10.0), ("client", -1.0)):
        writer = JournalWriter(str(tmp_path), role, "")
        writer.log_float("shared", value)
        if role != "0":
            writer.log_float("later", value)
        if role == "client":
            writer.log_float("own", value)
        writer.close()
    readers = [read(base) for base in list_writers(str(tmp_path))]
    assert series.names(readers) == ["shared", "later", "own"]
    assert [series.series(readers, name).value.tolist() for name in ("shared", "later", "own")] == [
        [0.0],
        [1.0],
        [-1.0],
    ]
