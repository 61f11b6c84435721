"""The locks of a workspace: the first stays until it is replaced; what is damaged is told."""

import json
import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.environments import locks
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.errors import FormatError
from amlnb.specs.environment_spec import EnvironmentSpec

KEY = "a" * 32
SPEC = EnvironmentSpec(pip=("spam",), credentials={"a.invalid": "me:secret-word"})
LOCK = Lock("uv", "uv 1.0", "3.11.7", "linux-x86_64", (LockedPackage("spam", "1.0", ("sha256:00",)),), notes=("n",))
OTHER = replace(LOCK, packages=(LockedPackage("spam", "2.0"),))


@pytest.fixture
def data(tmp_path):
    return str(tmp_path)


def write(data, lock, *, again=False, key=KEY):
    return locks.write(data, locks.Stored(key, SPEC, lock), replace=again)


def test_what_is_written_is_read(data):
    assert locks.read(data, KEY) is None
    assert write(data, LOCK) == LOCK
    assert locks.read(data, KEY) == LOCK


def test_the_first_stays_until_it_is_replaced(data):
    write(data, LOCK)
    assert write(data, OTHER) == LOCK
    assert locks.read(data, KEY) == LOCK
    assert write(data, OTHER, again=True) == OTHER
    assert locks.read(data, KEY) == OTHER


def test_of_many_writers_one_is_first_for_all(data):
    many = [replace(LOCK, packages=(LockedPackage("spam", str(number)),)) for number in range(8)]
    barrier, held = threading.Barrier(len(many)), []

    def go(lock):
        barrier.wait()
        held.append(write(data, lock))

    threads = [threading.Thread(target=go, args=(lock,)) for lock in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {lock.key for lock in held} == {locks.read(data, KEY).key}
    assert os.listdir(locks.folder(data)) == [f"{KEY}.json"]


def test_no_credentials_are_written(data):
    write(data, LOCK)
    with open(os.path.join(locks.folder(data), f"{KEY}.json"), encoding="utf-8") as file:
        assert "secret-word" not in file.read()


def test_all_are_listed_with_what_was_asked_for(data):
    write(data, LOCK)
    write(data, OTHER, key="b" * 32)
    assert [(each.request, each.spec.pip, each.lock) for each in locks.every(data)] == [
        (KEY, ("spam",), LOCK),
        ("b" * 32, ("spam",), OTHER),
    ]
    assert list(locks.every(os.path.join(data, "nowhere"))) == []


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"3",
    b"{}",
    b"\0\0",
    b"\xff",
    b'{"lock": 3}',
    b'{"lock": {}}',
    b'{"lock": {"format": 99}}',
    b'{"lock": {"format": 1, "packages": 3, "notes": [], "build_constraints": []}}',
    b'{"lock": {"format": 1, "packages": [3], "notes": [], "build_constraints": []}}',
    json.dumps({"lock": {**LOCK.to_dict(), "packages": [{"name": "spam"}]}}).encode(),
    json.dumps({"lock": {**LOCK.to_dict(), "unknown": 3}}).encode(),
    *(
        json.dumps({"lock": {**LOCK.to_dict(), **change}}).encode()
        for change in [
            {"builder": "nobody"},
            {"python": 3.11},
            {"python": "new"},
            {"platform": None},
            {"image": 3},
            {"notes": [3]},
            {"made": "today"},
            {"generation": True},
            {"python_is_exact": 1},
            {"build_constraints": ["--index-url http://a.invalid"]},
            {"build_constraints": ["a\n--index-url http://a.invalid"]},
        ]
    ),
    *(
        json.dumps(
            {"lock": {**LOCK.to_dict(), "packages": [{"name": "spam", "version": "1", "hashes": [], **change}]}}
        ).encode()
        for change in [
            {"name": "spam\n--index-url http://a.invalid"},
            {"name": "--spam"},
            {"version": "1\n--index-url http://a.invalid"},
            {"version": "1 --index-url http://a.invalid"},
            {"version": ""},
            {"version": 1},
            {"source": "https://a.invalid/x\n--index-url http://a.invalid"},
            {"source": "https://a.invalid/x --index-url http://a.invalid"},
            {"source": "--index-url=http://a.invalid"},
            {"source": 3},
            {"hashes": ["0" * 64]},
            {"hashes": ["sha256:00 --index-url"]},
            {"hashes": [3]},
            {"by": None},
        ]
    ),
]


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:40].decode("latin-1"))
def test_a_damaged_one_is_told_with_its_file_and_costs_the_others_nothing(data, text):
    write(data, LOCK)
    write(data, OTHER, key="b" * 32)
    path = os.path.join(locks.folder(data), f"{KEY}.json")
    with open(path, "wb") as file:
        file.write(text)
    with pytest.raises(FormatError) as error:
        locks.read(data, KEY)
    assert "lock" in error.value.message
    assert path in error.value.message
    assert error.value.hint
    assert [each.request for each in locks.every(data)] == ["b" * 32]
    assert write(data, LOCK, again=True) == LOCK
    assert locks.read(data, KEY) == LOCK


texts = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="-"), max_size=10)
names = st.from_regex("[a-z0-9]{1,9}", fullmatch=True)
hashes = st.tuples(st.from_regex("(sha256|md5|folder):[0-9a-f]{1,9}", fullmatch=True))
packages = st.one_of(
    st.builds(LockedPackage, names, names, hashes, st.none() | texts, st.just("uv")),
    st.builds(LockedPackage, texts, texts, hashes, st.none() | texts, st.just("conda")),
)


@given(
    st.builds(
        Lock,
        st.sampled_from(["uv", "conda", "container", "existing"]),
        texts,
        st.from_regex(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?", fullmatch=True),
        texts,
        st.lists(packages, max_size=4, unique_by=lambda each: each.name).map(tuple),
        st.none() | texts,
        st.tuples(texts),
        st.tuples(texts),
        st.integers(),
        st.floats(allow_nan=False),
    )
)
def test_any_lock_comes_back_from_json_as_it_was_with_its_key(lock):
    again = Lock.from_dict(json.loads(json.dumps(lock.to_dict())))
    assert again == lock
    assert again.key == lock.key


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"tool": "uv 2.0"}, False),
        ({"python": "3.11.9"}, False),
        ({"notes": ()}, False),
        ({"generation": 5}, False),
        ({"made": 5.0}, False),
        ({"python": "3.12.0"}, True),
        ({"python_is_exact": True}, True),
        ({"platform": "darwin-arm64"}, True),
        ({"builder": "conda"}, True),
        ({"image": "sha256:00"}, True),
        ({"build_constraints": ("setuptools<70",)}, True),
        ({"packages": (LockedPackage("spam", "1.0", ("sha256:01",)),)}, True),
    ],
    ids=str,
)
def test_what_counts_for_what_is_built(change, counts):
    assert (replace(LOCK, **change).key != LOCK.key) is counts


def test_the_patch_counts_where_it_was_asked_for():
    exact = replace(LOCK, python_is_exact=True)
    assert replace(exact, python="3.11.2").key != exact.key
