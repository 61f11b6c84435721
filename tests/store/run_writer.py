"""A process that writes to a run as it is told: one command a line on stdin, one answer a line on stdout.

Killed at any moment, it has written whatever it answered for.
"""

import json
import os
import sys
import time

from amlnb import host
from amlnb.core import events, layout
from amlnb.tracking import create, journal, seal
from amlnb.tracking.tracked_run import TrackedRun


def main(directory):
    run = TrackedRun(directory, "r", "stateful", "0")
    runner = journal.JournalWriter(directory, "runner")
    for line in sys.stdin:
        told = json.loads(line)
        answer = globals()[told.pop("do")](directory, run, runner, **told)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def claim(directory, run, runner, attempt):
    path = os.path.join(directory, layout.ATTEMPTS, f"{attempt}.json")
    create.publish_json(path, dict(host.this_process(), time=time.time()))


def write_state(directory, run, runner, **state):
    runner.write_event({"t": events.STATE, **state})


def log(directory, run, runner, name, value, step):
    run.log(name, value, step=step)


def log_list(directory, run, runner, name, values):
    run.log_list(name, values)


def log_in_child(directory, run, runner, name, value):
    """A worker that is forked, logs and ends."""
    pid = os.fork()
    if not pid:
        run.log(name, value)
        os._exit(0)
    os.waitpid(pid, 0)


def burst(directory, run, runner, begin):
    """Log until killed, with one byte for each value that was logged."""
    value = begin
    while True:
        run.log("burst", value, step=value)
        run.log("text", str(value))
        os.write(sys.stdout.fileno(), b".")
        value += 1


def turn_clock(directory, run, runner, offset_s):
    journal._time = lambda: time.time() + offset_s


def end(directory, run, runner, final):
    runner.close()
    run._journal.close()
    return seal.seal(directory, final)


if __name__ == "__main__":
    main(sys.argv[1])
