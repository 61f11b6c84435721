"""Threads, forks, spawned processes, signals and interrupts: each logged point is kept once, in its writer's order."""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from amlnb.core import layout
from amlnb.store.run_reader import RunReader


def python(program, *arguments, expected=0, **more):
    """Run a program of its own: it gets signals, limits or an end that this process must not get."""
    # -B: under a limit on the size of files, Python would leave behind byte code that is cut.
    command = [sys.executable, "-B", "-c", textwrap.dedent(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == expected, done.stderr
    return done


HEAD = """
import itertools, os, signal, sys, time
from amlnb.tracking.tracked_run import TrackedRun
run = TrackedRun(sys.argv[1], "r", "tracking", "0")
"""


def test_twenty_threads_lose_nothing(run, kept):
    start = threading.Barrier(20)

    def log(number):
        start.wait()
        for i in range(200):
            run.log("shared", float(i))
            run.log(f"own {number}", i)
            run.log(f"new {number} {i % 7}", "text")
            run.tag(f"t{number}", i) if i % 50 == 0 else None

    threads = [threading.Thread(target=log, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = kept.metrics()
    assert collections.Counter(metrics["shared"]) == {float(i): 20 for i in range(200)}
    for number in range(20):
        assert metrics[f"own {number}"] == list(range(200))
        assert sum(len(metrics[f"new {number} {i}"]) for i in range(7)) == 200
    assert kept.reader.facts().tags == {f"t{number}": "150" for number in range(20)}
    assert len(kept.reader.writers) == 1


def test_a_forked_child_has_files_of_its_own(run, kept):
    """The names that the parent gave, and its descriptors, are not the child's."""
    run.log("parent", 0.5)
    pid = os.fork()
    if pid == 0:
        try:
            for i in range(100):
                run.log("child", float(i))
                run.log("parent", -1.0)
        finally:
            os._exit(0)
    for i in range(100):
        run.log("parent", float(i))
    os.waitpid(pid, 0)
    assert len(kept.reader.writers) == 2
    assert kept.metrics()["child"] == [float(i) for i in range(100)]
    assert collections.Counter(kept.metrics()["parent"])[-1.0] == 100
    assert [value for value in kept.metrics()["parent"] if value != -1.0] == [0.5, *(float(i) for i in range(100))]


def test_a_fork_while_another_thread_logs_for_the_first_time_does_not_hang(kept):
    """The child would wait for the lock of a module that the other thread was loading."""
    program = (
        HEAD
        + """
import threading
stop = []
def log():
    while not stop:
        run.log("thread", 0.5); run.log("text", "x"); run.tag("t", 1)
threads = [threading.Thread(target=log, daemon=True) for _ in range(3)]
[thread.start() for thread in threads]
try:
    for _ in range(5):
        pid = os.fork()
        if pid == 0:
            signal.alarm(10)
            run.log("child", 1); run.log("note", "y"); run.tag("u"); run.child_run().complete()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
finally:
    stop.append(1)
"""
    )
    for _ in range(6):
        python(program, kept.run.directory)
    assert kept.metrics()["child"] == [1] * 30


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_log(kept, method, tmp_path):
    program = (
        HEAD
        + """
import multiprocessing
def work(number):
    for i in range(50):
        run.log(f"worker {number}", float(i))
if __name__ == "__main__":
    run.log("main", 1)
    with multiprocessing.get_context(sys.argv[2]).Pool(3) as pool:
        pool.map(work, range(6))
"""
    )
    path = tmp_path / "program.py"  # a file, because spawn imports the program again
    path.write_text(program)
    subprocess.run([sys.executable, path, kept.run.directory, method], check=True)
    metrics = kept.metrics()
    assert [metrics[f"worker {number}"] for number in range(6)] == [[float(i) for i in range(50)]] * 6


def test_a_signal_handler_may_log_while_the_program_does(kept):
    program = (
        HEAD
        + """
beats = itertools.count()
def beat(*_):
    number = next(beats)
    run.log("beat", number)                  # the longer way of an int
    run.log("float beat", float(number))
    run.log(f"name {number % 50}", "text")   # a name and a line
    signal.setitimer(signal.ITIMER_REAL, 0.0003)
signal.signal(signal.SIGALRM, beat)
run.log("first", 0.5)
signal.setitimer(signal.ITIMER_REAL, 0.0003)
for i in range(3000):
    run.log("loss", float(i))
    run.log("count", i)
    run.log(f"other {i % 100}", "line")
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print(next(beats))
"""
    )
    beats = int(python(program, kept.run.directory).stdout)
    metrics = kept.metrics()
    assert beats > 20
    assert metrics["loss"] == [float(i) for i in range(3000)]
    assert metrics["count"] == list(range(3000))
    assert sorted(metrics["beat"]) == list(range(beats))
    assert sorted(metrics["float beat"]) == [float(i) for i in range(beats)]
    assert sum(len(v) if isinstance(v, list) else 1 for k, v in metrics.items() if k.startswith("name ")) == beats
    assert all(set(v) == {"line"} for k, v in metrics.items() if k.startswith("other "))


def test_a_signal_handler_may_log_while_the_first_record_loads_what_it_needs(kept):
    """What `import json` has half done is no module yet."""
    program = (
        HEAD
        + """
beats = itertools.count()
def beat(*_):
    run.log("beat", next(beats))
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
signal.signal(signal.SIGALRM, beat)
signal.setitimer(signal.ITIMER_REAL, 0.0005)
import json
run.log("loss", 0.5)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print(next(beats))
"""
    )
    beats = []
    for each in [program, program.replace("import json\n", "")] * 3:  # the script's own import, and ours
        beats += range(int(python(each, kept.run.directory).stdout))
    assert len(beats) > 5
    assert sorted(kept.metrics()["beat"]) == sorted(beats)
    assert kept.metrics()["loss"] == [0.5] * 6


def test_what_a_handler_logs_survives_its_end_of_the_process(kept):
    program = (
        HEAD
        + """
def end(*_):
    run.log("ended by", 15)
    run.log("note", "terminated")
    os._exit(1)
signal.signal(signal.SIGTERM, end)
run.log("loss", 0.5)
print("ready", flush=True)
while True:
    run.log("count", 1)
"""
    )
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), kept.run.directory], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    process.terminate()
    process.wait()
    process.stdout.close()
    metrics = kept.metrics()
    assert (metrics["loss"], metrics["ended by"], metrics["note"]) == (0.5, 15, "terminated")


@pytest.mark.slow
def test_interrupts_in_the_middle_of_a_call_cost_no_acknowledged_point(kept):
    """A KeyboardInterrupt comes where it likes; the interrupted point is there once or not at all."""
    program = (
        HEAD
        + """
import random
def interrupt(*_): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
acknowledged, interrupts = [], 0
run.log("first", 0.5)
end = time.monotonic() + 1.5
i = 0
while time.monotonic() < end:
    i += 1
    try:
        signal.setitimer(signal.ITIMER_REAL, random.random() * 0.0004 + 1e-6)
        for _ in range(20):
            i += 1
            kind = i % 4
            if kind == 0: run.log("float", float(i))
            elif kind == 1: run.log("int", i)
            elif kind == 2: run.log("text", str(i))
            else: run.log(f"name {i}", i)
            acknowledged.append(i)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupts += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
for _ in range(3):
    run.log("after", 0.5)
print(interrupts)
print(*acknowledged)
"""
    )
    printed = python(program, kept.run.directory).stdout.splitlines()
    interrupts, acknowledged = int(printed[0]), [int(word) for word in printed[1].split()]
    assert interrupts > 50
    metrics = kept.metrics()
    assert (metrics.pop("first"), metrics.pop("after")) == (0.5, [0.5] * 3)
    found = [int(value) for name in ("float", "int", "text") for value in metrics.pop(name)]
    for name, value in metrics.items():
        assert (name, type(value)) == (f"name {value}", int)  # no name took another's place
        found.append(value)
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
    assert len(found) <= len(acknowledged) + interrupts


def test_every_point_before_a_kill_is_there(kept):
    program = (
        HEAD
        + """
for i in range(10**9):
    run.log("loss", float(i)); run.log("text", str(i))
    os.write(1, b".")
"""
    )
    for _ in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), kept.run.directory], stdout=subprocess.PIPE
        )
        process.stdout.read(1)
        time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        acknowledged = 1 + len(process.stdout.read())
        process.stdout.close()
        process.wait()
        newest = max(kept.reader.writers, key=lambda writer: os.stat(writer.base + ".events").st_mtime_ns)
        assert len(newest.records().head) >= 2 * acknowledged


LIMITED = """
import resource
def limit(size): resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""


@pytest.mark.parametrize("then", ["log", "flush", "tag", "exit"])
def test_what_a_full_disk_keeps_out_arrives_later(make_run, then):
    """A limit on the size of files is a full disk that needs no root: writes fall short, then fail."""
    kept = make_run(then)
    program = (
        HEAD
        + LIMITED
        + """
run.log("loss", -1.0)
limit(1000)
for i in range(500):
    run.log("loss", float(i)); run.log("text", f"line {i}"); run.log("count", i)
run.tag("long", "yes" * 400)
run.add_properties({"short": 1})
run.log_confusion_matrix("matrix", {"data": [1] * 1000})
open("big", "w").write("x" * 900); run.upload_file("outputs/small", "big")
child = run.child_run(name="n" * 2000, run_id=f"kid of {sys.argv[2]}")
child.log("x", 1.5)
child.complete()
written = [os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(run.directory) for name in names]
assert max(written) <= 1000 and not os.path.exists(child.directory)
assert not [name for top, _, names in os.walk(os.path.dirname(run.directory)) for name in names if ".new" in name]
limit(resource.RLIM_INFINITY)
{"log": lambda: run.log("loss", 500.0), "flush": run.flush, "tag": lambda: run.tag("last"), "exit": sys.exit}[sys.argv[2]]()
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    expected = 0 if then == "exit" else -signal.SIGKILL
    done = python(program, kept.run.directory, then, expected=expected, cwd=os.path.dirname(kept.run.directory))
    assert done.stderr.count("amlnb") == 1
    assert "could not write" in done.stderr
    assert "hint: free some space" in done.stderr
    metrics = kept.metrics()
    assert metrics["loss"][:501] == [-1.0, *(float(i) for i in range(500))]
    assert metrics["text"] == [f"line {i}" for i in range(500)]
    assert metrics["count"] == list(range(500))
    assert json.loads(kept.file("matrix")) == {"data": [1] * 1000}
    assert kept.file("outputs/small") == b"x" * 900
    facts = kept.reader.facts()
    assert (facts.tags["long"], facts.properties) == ("yes" * 400, {"short": "1"})
    runs = os.path.dirname(kept.run.directory)
    child = RunReader(os.path.join(runs, layout.run_directory_name("tracking", f"kid of {then}")))
    child.refresh()
    assert (child.facts().state, child.metrics(), child.record["display_name"]) == ("Completed", {"x": 1.5}, "n" * 2000)


def test_what_never_could_be_written_is_counted_at_the_end(kept):
    program = (
        HEAD
        + LIMITED
        + """
run.log("loss", 0.5)
limit(1000)
for i in range(100): run.log("loss", float(i))
run.tag("k", "v" * 2000)
"""
    )
    done = python(program, kept.run.directory)
    count = int(
        re.search(r"until the end these could not be written: logged values \((\d+)\), tags \(1\)\n", done.stderr).group(1)
    )
    assert count == 100 - (1000 // 32 - 1)
    assert len(kept.metrics()["loss"]) == 1000 // 32


@pytest.mark.slow
def test_memory_is_bounded_while_nothing_can_be_written(kept):
    program = (
        HEAD
        + LIMITED
        + """
run.log("loss", 0.5)
limit(1000)
text = "x" * 1_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for i in range(200):
    run.log("text", text); run.log_confusion_matrix("m", {"data": text})
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 160 * 1024, grown
limit(resource.RLIM_INFINITY)
run.log("after", 1)
"""
    )
    done = python(program, kept.run.directory)
    assert re.search(r"until the end these could not be written: logged values \(\d+\)", done.stderr)
    assert kept.metrics()["after"] == 1
    assert len(kept.metrics()["text"]) >= 15


def test_a_run_directory_that_was_deleted_is_not_made_again(make_run):
    kept = make_run("doomed")
    other = make_run("other")
    program = (
        HEAD
        + """
import shutil
other = TrackedRun(sys.argv[2], "other", "tracking", "0")
run.log("loss", 0.5)
shutil.rmtree(run.directory)
for i in range(100):
    run.log("loss", float(i)); run.log("text", "x"); run.tag("a"); other.tag("b", i); other.log("loss", float(i))
run.child_run().complete()
run.upload_file("x", __import__("io").BytesIO(b"x"))
"""
    )
    python(program, kept.run.directory, other.run.directory)
    assert not os.path.exists(kept.run.directory)
    assert other.metrics() == {"loss": [float(i) for i in range(100)]}
    assert other.reader.facts().tags == {"b": "99"}
