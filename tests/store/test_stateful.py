"""The store against the pure replay: whatever happens to a run, its readers say what was written, and no more.

Real processes write a real run directory through the tracking client; they are killed, their files are torn, runs are
queued again, edited, presumed dead and mirrored, and clocks jump. A model keeps what was acknowledged.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from amlnb.compute.ssh_mirror import Mirror
from amlnb.core import edits, identity, layout, metrics, records, states
from amlnb.core.replay import replay, runner_lost
from amlnb.runner.relay_feed import Budget, RunFeed
from amlnb.store import series
from amlnb.store.light_reader import read_facts, read_metrics
from amlnb.store.run_reader import RunReader
from amlnb.tracking import create
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal

pytestmark = pytest.mark.slow

WRITER = os.path.join(os.path.dirname(__file__), "run_writer.py")
EXAMPLES = int(os.environ.get("AMLNB_STATEFUL_EXAMPLES", "25"))

NAMES = st.sampled_from(["loss", "a\nb"])
VALUES = st.floats(allow_nan=False) | st.integers(-(2**70), 2**70) | st.booleans() | st.none() | st.text(max_size=3)
STEPS = st.none() | st.integers(-3, 3) | st.just(0.5)
EDITS = st.one_of(
    st.builds(
        lambda tags, gone: {"op": "tags", "tags": tags, "remove": gone},
        st.dictionaries(st.sampled_from("abc"), st.none() | st.text(max_size=2), max_size=2),
        st.lists(st.sampled_from("abc"), max_size=2),
    ),
    st.builds(lambda value: {"op": "properties", "properties": {"p": value}}, st.text(max_size=2)),
    st.builds(lambda name: {"op": "rename", "display_name": name}, st.text(max_size=3)),
    st.sampled_from([{"op": "archive"}, {"op": "reactivate"}, {"op": "cancel", "by": "test"}]),
)


class Process:
    """The runner of one attempt together with its script."""

    def __init__(self, directory):
        command = [sys.executable, WRITER, directory]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        # Values that were acknowledged, in order: (name, kind, value).
        self.logged = []
        self.unacknowledged = False

    def tell(self, do, **arguments):
        self._send(do, arguments)
        return json.loads(self._popen.stdout.readline())

    def burst(self, begin, at_least):
        """Let it log until it is killed, which is now."""
        self._send("burst", {"begin": begin})
        acknowledged = 0
        while acknowledged < at_least:
            acknowledged += len(self._popen.stdout.read(64))
        self._popen.kill()
        acknowledged += len(self._popen.stdout.read())
        for value in range(begin, begin + acknowledged):
            self.logged += [("burst", metrics.SCALAR, value), ("text", metrics.SCALAR, str(value))]
        self.unacknowledged = True
        return begin + acknowledged

    def kill(self):
        self._popen.send_signal(signal.SIGKILL)
        self.close()

    def close(self):
        self._popen.stdin.close()
        self._popen.wait()
        self._popen.stdout.close()

    def _send(self, do, arguments):
        self._popen.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")


class Store(RuleBasedStateMachine):
    @initialize()
    def submit(self):
        self.folder = tempfile.mkdtemp()
        self.record = {
            "id": "r",
            "experiment": "stateful",
            "created": 1.0,
            "home": {"kind": "local"},
            "tags": {"a": "first"},
            "properties": {},
            "warnings": ["told at submission"],
        }
        self.home = create.create_run(os.path.join(self.folder, "home"), self.record)
        self.mirror = create.create_run(os.path.join(self.folder, "mirror"), self.record)
        self.follower = RunReader(self.home)
        self.process = None
        self.processes = []
        self.attempt = 0
        self.phase = -1
        self.next_value = 0
        self.time = 1000.0
        self.edits = {}
        self.events = []
        self.final = None
        self.died = False
        self.highest = (0, 0)
        self.connect()

    def teardown(self):
        if getattr(self, "process", None):
            self.process.kill()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # -- the runner and its script -----------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.process is None and self.final is None and self.attempt < 3)
    def start_an_attempt(self):
        self.process = Process(self.home)
        self.processes.append(self.process)
        self.attempt += 1
        self.phase = -1
        self.died = False
        self.process.tell("claim", attempt=self.attempt)
        self.advance()

    @rule()
    @precondition(lambda self: self.process is not None and self.phase < len(states.PHASES) - 1)
    def advance(self):
        self.phase += 1
        event = {"attempt": self.attempt, "phase": states.PHASES[self.phase], "time": self.tick()}
        self.process.tell("write_state", **event)
        self.events.append({"t": "state", **event})

    @rule(name=NAMES, value=VALUES, step=STEPS)
    @precondition(lambda self: self.process is not None)
    def log(self, name, value, step):
        self.process.tell("log", name=name, value=value, step=step)
        self.process.logged.append((name, metrics.SCALAR, value))

    @rule(name=NAMES, values=st.lists(VALUES, min_size=1, max_size=3))
    @precondition(lambda self: self.process is not None)
    def log_a_list(self, name, values):
        self.process.tell("log_list", name=name, values=values)
        self.process.logged.append((name, "list", values))

    @rule(name=NAMES)
    @precondition(lambda self: self.process is not None)
    def log_in_a_forked_worker(self, name):
        worker = Process.__new__(Process)
        worker.logged, worker.unacknowledged = [(name, metrics.SCALAR, self.next_value)], False
        self.process.tell("log_in_child", name=name, value=self.next_value)
        self.processes.append(worker)
        self.next_value += 1

    @rule(offset_s=st.sampled_from([-1e6, -1.0, 0.0, 1e6]))
    @precondition(lambda self: self.process is not None)
    def turn_its_clock(self, offset_s):
        self.process.tell("turn_clock", offset_s=offset_s)
        self.time += offset_s / 1000

    @rule()
    @precondition(lambda self: self.process is not None)
    def kill(self):
        self.process.kill()
        self.after_death()

    @rule(at_least=st.integers(0, 50))
    @precondition(lambda self: self.process is not None)
    def kill_while_it_logs(self, at_least):
        self.next_value = self.process.burst(self.next_value, at_least)
        self.process.close()
        self.after_death()

    @rule(state=st.sampled_from(states.TERMINAL))
    @precondition(lambda self: self.process is not None and self.phase >= 1)
    def seal_and_end(self, state):
        final = {"attempt": self.attempt, "state": state, "started": None, "ended": self.tick(), "exit_code": 0}
        assert self.process.tell("end", final=final) is True
        self.final = final
        self.process.close()
        self.process = None

    # -- others ------------------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.died and self.final is None)
    def record_the_death(self):
        final = {
            "attempt": self.attempt,
            "started": None,
            "ended": self.tick(),
            **runner_lost(self.expected().cancel_requested),
        }
        assert seal(self.home, final)
        assert not seal(self.home, {**final, "state": states.COMPLETED})  # the first one counts
        self.final = final

    @rule()
    @precondition(lambda self: self.final is None and self.phase >= 0)
    def presume_it_dead(self):
        event = {
            "t": "state",
            "attempt": self.attempt,
            "phase": states.FAILED,
            "time": self.tick(),
            "presumed": True,
            "seen": states.PHASES[self.phase],
            "error": {"code": "PresumedDead"},
        }
        writer = JournalWriter(self.home, "client")
        writer.write_event(event)
        writer.close()
        self.events.append(event)

    @rule(edit=EDITS, at_the_mirror=st.booleans())
    def edit(self, edit, at_the_mirror):
        place = self.mirror if at_the_mirror else self.home
        seen = [edits.number_of(name) for name in os.listdir(os.path.join(place, layout.EDITS))]
        path = add_edit(place, edit)
        assert edits.number_of(os.path.basename(path)) == max(seen, default=0) + 1
        if at_the_mirror:
            self.connect()
            self.feed.take_edits(self.mirror_writer.new_edits())
        self.edits[os.path.basename(path)] = edit

    @rule(size=st.integers(1, records.SIZE - 1), data=st.binary(min_size=40, max_size=40))
    @precondition(lambda self: self.died and self.final is None)
    def tear(self, size, data):
        """As the machine's last write left them."""
        for name in os.listdir(os.path.join(self.home, layout.JOURNALS)):
            path = os.path.join(self.home, layout.JOURNALS, name)
            whole = os.path.getsize(path) % records.SIZE == 0
            if name.startswith(("0-", "runner-")) and (whole or name.endswith(".events")):
                with open(path, "ab") as file:
                    file.write(data[:size].replace(b"\n", b"x"))

    # -- the mirror --------------------------------------------------------------------------------------------------

    @rule()
    def connect(self):
        """A connection is new, and knows only what the mirror holds."""
        self.mirror_writer = Mirror(self.mirror)
        self.feed = RunFeed(
            self.home, self.mirror_writer.have(), self.mirror_writer.edit_names(), self.mirror_writer.take
        )

    @rule(size=st.integers(1, 3000))
    def send_some(self, size):
        if self.feed.look(Budget(size)) and not self.mirror_writer.is_complete:
            with open(os.path.join(self.home, layout.FINAL_JSON), encoding="ascii") as file:
                self.mirror_writer.finish(file.read())

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def readers_say_what_the_model_says(self):
        fresh = read(self.home)
        self.follower.refresh()
        expected = self.expected()
        for reader in (fresh, self.follower):
            assert told(reader.facts()) == told(expected)
            assert reader.skipped == 0
        self.check_metrics(fresh)
        assert fresh.metrics() == self.follower.metrics() or "nan" in repr(fresh.metrics())
        for name in fresh.metric_names():
            assert fresh.series(name).value.tobytes() == self.follower.series(name).value.tobytes()

    @invariant()
    def a_job_reads_the_same(self):
        for directory in (self.home, self.mirror):
            whole = read(directory)
            assert told(read_facts(directory)) == told(whole.facts())
            assert repr(read_metrics(directory, whole.id)) == repr(whole.metrics())

    @invariant()
    def the_state_moves_forward(self):
        facts = self.expected()
        if (facts.error or {}).get("code") == "PresumedDead":
            return
        key = (facts.attempt, states.rank(facts.phase))
        assert key >= self.highest
        self.highest = key

    @invariant()
    def the_mirror_is_never_ahead_and_says_the_same_when_complete(self):
        here, there = read(self.mirror), read(self.home)
        facts = here.facts()
        assert facts.attempt <= there.facts().attempt
        assert here.skipped == 0
        at_home = {os.path.basename(writer.base): writer for writer in there.writers}
        for writer in here.writers:
            whole = at_home[os.path.basename(writer.base)]
            size = len(writer.records().bits)
            assert writer.records().bits.tobytes() == whole.records().bits[:size].tobytes()
            assert writer.states == whole.states[: len(writer.states)]
            for each in writer.ids:  # each record has its name and its line
                assert all(kind for kind, _ in series.logged_values([writer], each))
            assert set(writer.records().metric_id.tolist()) <= set(writer.names)
        if self.mirror_writer.is_complete:
            assert told(facts, with_edits=False) == told(there.facts(), with_edits=False)
            assert repr(here.metrics()) == repr(there.metrics())
            for path, size in there.final["sizes"].items():
                assert os.path.getsize(os.path.join(self.mirror, path)) == size

    # -- the model ---------------------------------------------------------------------------------------------------

    def tick(self):
        self.time += 1
        return self.time

    def after_death(self):
        self.process = None
        self.died = True

    def expected(self):
        alive = identity.UNKNOWN
        if self.attempt and self.final is None:
            alive = identity.ALIVE if self.process is not None else identity.DEAD
        names = sorted(self.edits, key=edits.sort_key)
        return replay(self.record, [self.edits[name] for name in names], self.events, self.final, alive)

    def check_metrics(self, reader):
        """Each process's values are there in its order; one that was killed while it logged may have one more."""
        scripts = [writer for writer in reader.writers if writer.role == "0"]
        found = [{name: series.logged_values([writer], name) for name in writer.ids} for writer in scripts]
        for process in self.processes:
            expected = {}
            for name, kind, value in process.logged:
                expected.setdefault(name, []).append((kind, value))
            match = next((each for each in found if holds(each, expected, process.unacknowledged)), None)
            if expected or match is not None:
                assert match is not None, (expected, found)
                found.remove(match)
        # What is left belongs to processes that were killed before anything of theirs was acknowledged.
        assert all(len(values) <= 1 for each in found for values in each.values())


def holds(found, expected, killed_in_a_burst):
    """Tell whether a writer's values are a process's; only of what a burst logs it may have one more."""
    for name in found.keys() | expected.keys():
        got, values = found.get(name, []), expected.get(name, [])
        more = killed_in_a_burst and name in ("burst", "text")
        if repr(got[: len(values)]) != repr(values) or len(got) > len(values) + more:
            return False
    return True


def read(directory):
    reader = RunReader(directory)
    reader.refresh()
    return reader


def told(facts, *, with_edits=True):
    """All that is known of a run, to be compared."""
    of_edits = {"tags", "properties", "display_name", "archived", "cancel_requested"}
    return {name: getattr(facts, name) for name in facts.__slots__ if with_edits or name not in of_edits}


Store.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
TestStore = Store.TestCase
