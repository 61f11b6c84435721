"""What is printed while runs are tracked by ``with`` is in their logs; it never harms who prints."""

import copy
import io
import os
import subprocess
import sys
import threading

import pytest

from amlnb.tracking import faults
from amlnb.tracking.console import Console


@pytest.fixture
def console(tmp_path, monkeypatch):
    """Makes consoles of runs of their own; stdout is a text in memory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults, "told", [])
    numbers = iter(range(1000))

    def make():
        if not isinstance(getattr(sys.stdout, "stream", sys.stdout), io.StringIO):
            monkeypatch.setattr(sys, "stdout", io.StringIO())
        directory = tmp_path / f"run{next(numbers)}"
        directory.mkdir()
        return Console(str(directory)), directory / "work" / "logs" / "user_log.txt"

    return make


def test_what_is_printed_is_in_the_log_and_on_the_screen(console, tmp_path):
    made, log = console()
    plain = sys.stdout
    made.start()
    print("one")
    print("two", file=sys.stderr)
    made.stop()
    print("three")
    assert log.read_text() == "one\ntwo\n" == (tmp_path / "logs" / "user_log.txt").read_text()
    assert plain.getvalue() == "one\nthree\n"
    assert sys.stdout is plain


def test_consoles_that_overlap_leave_stdout_as_it_was(console):
    first, first_log = console()
    second, second_log = console()
    plain = sys.stdout
    first.start()
    print("a")
    second.start()
    print("b")
    first.stop()
    print("c")
    second.stop()
    assert sys.stdout is plain
    assert (first_log.read_text(), second_log.read_text()) == ("a\nb\n", "b\nc\n")


def test_who_replaced_stdout_keeps_it(console):
    made, _ = console()
    made.start()
    replaced = sys.stdout = io.StringIO()
    made.stop()
    assert sys.stdout is replaced


def test_a_line_never_reaches_a_file_that_was_opened_after_the_end(console, tmp_path):
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            print("said by a thread")

    threads = [threading.Thread(target=chatter) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(15):
            made, _ = console()
            made.start()
            made.stop()
            with open(tmp_path / f"checkpoint{number}", "wb") as file:
                file.write(b"x" * 10)
            assert (tmp_path / f"checkpoint{number}").read_bytes() == b"x" * 10
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_tee_can_be_copied(console):
    made, _ = console()
    made.start()
    assert copy.copy(sys.stdout).getvalue() == ""
    made.stop()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_process_without_stdout_tracks_all_the_same(tmp_path, closed):
    program = (
        "from amlnb import Experiment, Workspace\n"
        "with Experiment(Workspace.find_or_create()[0], 'e').start_logging(snapshot_directory=None) as run:\n"
        "    print('x')\n"
        "    run.log('a', 1)\n"
        "open('done', 'w').write(run.get_status())\n"
    )
    (tmp_path / "p.py").write_text(program)
    subprocess.run(["sh", "-c", f"{sys.executable} p.py {closed}"], cwd=tmp_path, check=True)
    assert (tmp_path / "done").read_text() == "Completed"


def test_a_working_directory_that_is_gone_does_no_harm(console, tmp_path, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    made, log = console()
    made.start()
    print("one")
    made.stop()
    assert log.read_text() == "one\n"


def test_what_cannot_be_kept_is_told_once_and_printed_all_the_same(console, tmp_path, monkeypatch):
    made, log = console()
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    (tmp_path / "logs").mkdir()
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    made.start()
    print("one")
    print("two")
    made.stop()
    assert sys.stdout.getvalue() == "one\ntwo\n"
    assert errors.getvalue().count("part of what is printed is missing in 'user_log.txt'") == 1
    assert (tmp_path / "logs" / "user_log.txt").read_text() == "one\ntwo\n"


def test_a_child_that_is_forked_can_print(console):
    made, log = console()
    made.start()
    pid = os.fork()
    if pid == 0:
        print("from the child")
        os._exit(0)
    os.waitpid(pid, 0)
    print("from the parent")
    made.stop()
    assert log.read_text() == "from the child\nfrom the parent\n"


def test_a_child_that_is_forked_decides_nothing(tmp_path):
    program = (
        "import os, sys\n"
        "from amlnb import Experiment, Workspace\n"
        "run = Experiment(Workspace.find_or_create()[0], 'e').start_logging(snapshot_directory=None)\n"
        "try:\n"
        "    with run:\n"
        "        pid = os.fork()\n"
        "        if pid == 0:\n"
        "            sys.exit(0)\n"
        "        os.waitpid(pid, 0)\n"
        "        raise ValueError('of the parent')\n"
        "except ValueError:\n"
        "    print(run.get_status())\n"
    )
    (tmp_path / "p.py").write_text(program)
    told = subprocess.run([sys.executable, "p.py"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert told.stdout == "Failed\n"
