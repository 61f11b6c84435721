"""Where built environments are: what counts as one, who holds it, what it takes, what goes."""

import json
import os
import sys
import threading

import pytest

from amlnb.environments import prefixes
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.errors import FormatError, UserErrorException

LOCK = Lock("uv", "uv 1.0", "3.11.7", "linux-x86_64", (LockedPackage("spam", "1.0"),))


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "cache")


@pytest.fixture
def build(cache):
    """Make a folder with some files that counts as an environment; returns its path."""

    def build_(key="a" * 32, name=None, files=(("lib/x", 100),)):
        prefix = prefixes.path_of(cache, key)
        with prefixes.held(prefix):
            prefixes.clear(prefix)
            os.mkdir(os.path.join(prefix, "bin"))
            os.symlink(sys.executable, prefixes.interpreter_of(prefix))
            for place, size in files:
                path = os.path.join(prefix, place)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(b"x" * size)
            prefixes.finish(prefix, LOCK, name)
        return prefix

    return build_


class TestBuilt:
    def test_once_its_marker_is_there(self, cache, build):
        prefix = build(name="mine")
        assert prefixes.is_built(prefix)
        assert Lock.from_dict(prefixes.read_marker(prefix)["lock"]) == LOCK
        os.unlink(os.path.join(prefix, prefixes.MARKER))
        assert not prefixes.is_built(prefix)
        assert list(prefixes.every(cache)) == []

    def test_not_once_its_python_leads_nowhere(self, build, tmp_path):
        prefix = build()
        os.unlink(prefixes.interpreter_of(prefix))
        os.symlink(tmp_path / "removed", prefixes.interpreter_of(prefix))
        assert not prefixes.is_built(prefix)

    def test_also_without_a_python_of_its_own(self, build):
        """As that of a container."""
        prefix = build()
        os.unlink(prefixes.interpreter_of(prefix))
        assert prefixes.is_built(prefix)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"lock": 3}', "\0"])
    def test_a_damaged_marker_is_told_and_costs_the_others_nothing(self, cache, build, text):
        damaged, whole = build("a" * 32), build("b" * 32)
        with open(os.path.join(damaged, prefixes.MARKER), "w", encoding="utf-8") as file:
            file.write(text)
        with pytest.raises(FormatError, match=damaged):
            prefixes.read_marker(damaged)
        assert [each.prefix for each in prefixes.every(cache)] == [whole]

    def test_a_lock_of_another_version_costs_the_others_nothing(self, cache, build):
        other, whole = build("a" * 32), build("b" * 32)
        with open(os.path.join(other, prefixes.MARKER), "w", encoding="utf-8") as file:
            json.dump({"format": 1, "name": None, "lock": {**LOCK.to_dict(), "format": 99}}, file)
        assert [each.prefix for each in prefixes.every(cache)] == [whole]

    def test_nothing_is_there_at_first(self, cache):
        assert list(prefixes.every(cache)) == []
        assert prefixes.remove_unfinished(cache, 0) == 0
        assert prefixes.last_used(prefixes.path_of(cache, "a")) == 0.0


class TestListed:
    def test_the_one_used_last_comes_first(self, cache, build):
        first, second = build("a" * 32), build("b" * 32, name="mine")
        os.utime(first + ".used", (2e9, 2e9))
        found = list(prefixes.every(cache))
        assert [(each.prefix, each.names) for each in found] == [(first, ()), (second, ("mine",))]
        assert found[0].last_used == 2e9

    def test_what_is_shared_by_hard_links_is_not_its_own(self, cache, build, tmp_path):
        prefix = build(files=[("lib/own", 1000), ("lib/shared", 50_000)])
        total, own = prefixes.sizes(prefix)
        os.link(os.path.join(prefix, "lib", "shared"), tmp_path / "in uv's cache")
        assert prefixes.sizes(prefix) == (total, own - 50_000)
        [found] = prefixes.every(cache)
        assert (found.bytes, found.own_bytes) == (total, own - 50_000)

    def test_whether_a_run_uses_it(self, cache, build):
        prefix = build()
        with prefixes.held(prefix):
            assert [each.in_use for each in prefixes.every(cache)] == [True]
        assert [each.in_use for each in prefixes.every(cache)] == [False]


class TestHeld:
    def test_by_one_at_a_time(self, cache):
        prefix = prefixes.path_of(cache, "a")
        with prefixes.held(prefix) as mine:
            assert mine
            with prefixes.held(prefix, wait=False) as second:
                assert not second
        with prefixes.held(prefix, wait=False) as again:
            assert again

    def test_others_wait(self, cache):
        prefix = prefixes.path_of(cache, "a")
        order = []

        def other():
            with prefixes.held(prefix):
                order.append("other")

        thread = threading.Thread(target=other)
        with prefixes.held(prefix):
            thread.start()
            order.append("first")
        thread.join()
        assert order == ["first", "other"]


class TestRemoved:
    def test_with_all_its_files(self, cache, build, tmp_path):
        prefix = build(files=[("lib/own", 1000), ("lib/shared", 50_000)])
        os.link(os.path.join(prefix, "lib", "shared"), tmp_path / "in uv's cache")
        own = prefixes.sizes(prefix)[1]
        assert prefixes.remove(cache, "a" * 32) == own
        assert not os.path.exists(prefix)
        assert (tmp_path / "in uv's cache").stat().st_size == 50_000
        assert prefixes.last_used(prefix) == 0.0

    def test_not_while_it_is_used(self, cache, build):
        prefix = build()
        with prefixes.held(prefix), pytest.raises(UserErrorException, match="is in use") as error:
            prefixes.remove(cache, "a" * 32)
        assert "wait for its runs" in error.value.hint
        assert prefixes.is_built(prefix)

    @pytest.mark.parametrize("key", ["b" * 32, "", "nosuch", "../a", "a\0b"])
    def test_what_is_not_there_is_told(self, cache, build, key):
        prefix = build()
        with pytest.raises(UserErrorException, match="there is no built environment"):
            prefixes.remove(cache, key)
        assert prefixes.is_built(prefix)

    def test_its_marker_goes_first(self, build):
        """So that half a folder is never taken for a whole one."""
        prefix = build()
        locked = os.path.join(prefix, "lib")
        gone = []

        def audit(event, arguments):
            if event in ("os.remove", "os.rmdir") and str(arguments[0]).startswith(prefix):
                gone.append(arguments[0])

        sys.addaudithook(audit)
        prefixes.clear(prefix)
        assert gone[0] == os.path.join(prefix, prefixes.MARKER)
        assert os.listdir(prefix) == []
        assert not os.path.exists(locked)


class TestOfAKilledBuild:
    @pytest.fixture
    def half(self, cache, build):
        prefix = build()
        os.unlink(os.path.join(prefix, prefixes.MARKER))
        return prefix

    def test_goes_once_it_is_old_and_nobody_is_at_it(self, cache, half, build):
        whole = build("b" * 32)
        for age in (half, whole):
            os.utime(age, (1e9, 1e9))
        with prefixes.held(half):
            assert prefixes.remove_unfinished(cache, 3600) == 0
        assert os.path.isdir(half)
        assert prefixes.remove_unfinished(cache, 3600) > 0
        assert not os.path.exists(half)
        assert prefixes.is_built(whole)

    def test_stays_as_long_as_it_is_young(self, cache, half):
        assert prefixes.remove_unfinished(cache, 3600) == 0
        assert os.path.isdir(half)

    def test_is_looked_at_again_once_it_is_held(self, cache, half, monkeypatch):
        """Somebody has built it between the look and the lock."""
        os.utime(half, (1e9, 1e9))
        held = prefixes.held

        def later(prefix, *, wait):
            prefixes.finish(prefix, LOCK, None)
            return held(prefix, wait=wait)

        monkeypatch.setattr(prefixes, "held", later)
        assert prefixes.remove_unfinished(cache, 3600) == 0
        assert prefixes.is_built(half)

    def test_makes_room_for_the_next(self, half):
        prefixes.clear(half)
        assert os.listdir(half) == []

    def test_a_file_in_its_place_goes_too(self, cache):
        prefix = prefixes.path_of(cache, "a")
        os.makedirs(os.path.dirname(prefix))
        with open(prefix, "w", encoding="ascii") as file:
            file.write("x")
        prefixes.clear(prefix)
        assert os.listdir(prefix) == []
