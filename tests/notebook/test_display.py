import itertools
import shutil
import threading
import time

import pytest

from amlnb.api.cell_lines import cell_script, error_in_cell_lines, in_cell_lines
from amlnb.api.experiment import Experiment
from amlnb.api.run_outputs import DETAILS_MIME, RUN_MIME
from amlnb.api.workspace import Workspace
from amlnb.core.layout import run_directory_name
from amlnb.notebook.budget import Budget
from amlnb.notebook.display import LiveDisplays, RunDisplay, cpu_share, in_turn, turn_s
from amlnb.notebook.front_end import has_front_end
from amlnb.notebook.unfinished import NOTEBOOK_PROPERTY, unfinished_runs
from amlnb.specs.run_view import LogLine, RunView, TextStyle
from amlnb.store.run_names import short_id


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find_or_create(str(tmp_path))[0]
    return Experiment(workspace, "live").start_logging(snapshot_directory=None)


class Screen:
    """What a front end shows: the latest output of each display id, in the order they were first shown."""

    def __init__(self):
        self.shown = {}
        self.history = []
        self.changed = threading.Condition()

    def __call__(self, output, display_id, *, update):
        with self.changed:
            assert update == (display_id in self.shown)
            self.shown[display_id] = output
            self.history.append(output)
            self.changed.notify_all()

    @property
    def outputs(self):
        return list(self.shown.values())

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, timeout=30)


def test_a_live_output_becomes_a_picture_and_a_table(run):
    screen = Screen()
    display = RunDisplay(run.directory, screen)
    display.refresh(0.0)
    picture, details = screen.outputs
    assert set(picture.data) == {RUN_MIME, "text/plain", "image/svg+xml", "image/png"}
    run.log("loss", 1.0)
    run.log("loss", 0.5)
    display.refresh(1.0)
    assert "0.5000" in screen.outputs[0].data["image/svg+xml"]
    run.complete()
    display.refresh(2.0)
    picture, details = screen.outputs
    assert set(picture.data) == {RUN_MIME, "text/plain", "image/png"}
    assert picture.data[RUN_MIME]["state"] == "Completed"
    assert set(details.data) == {DETAILS_MIME, "text/html", "text/plain"}
    assert picture.metadata["image/png"]["width"] == 720
    assert display.done.is_set()
    assert len(screen.shown) == 2


def test_the_saved_picture_is_painted_at_changes_of_state_and_every_half_minute(run):
    screen = Screen()
    display = RunDisplay(run.directory, screen)
    pictures = []
    for now in range(100):
        run.log("loss", float(now))
        display.refresh(float(now))
        pictures.append(screen.outputs[0].data.get("image/png"))
    changes = [now for now in range(1, 100) if pictures[now] != pictures[now - 1]]
    assert changes == [1, 31, 61, 91]  # the first curve, and then every 30 s


def test_nothing_is_sent_while_nothing_changes(run):
    now = [1000.0]
    screen = Screen()
    display = RunDisplay(run.directory, screen, clock=lambda: now[0])
    display._tail._clock = lambda: now[0]
    display.refresh(0.0)
    sent = len(screen.history)
    assert display.refresh(0.1) == 0
    assert len(screen.history) == sent


def test_the_thread_follows_all_runs_and_ends_with_them(run):
    screens, live = [Screen(), Screen()], LiveDisplays()
    other = run.experiment.start_logging(snapshot_directory=None)
    for each, screen in zip((run, other), screens, strict=True):
        live.add(RunDisplay(each.directory, screen))
    thread = live._thread
    run.log("loss", 1.0)
    run.complete()
    screens[0].wait(lambda: screens[0].outputs[0].data[RUN_MIME]["state"] == "Completed")
    assert thread.is_alive()
    other.complete()
    screens[1].wait(lambda: screens[1].outputs[0].data[RUN_MIME]["state"] == "Completed")
    thread.join(30)
    assert live._thread is None


def test_a_display_of_a_run_that_is_gone_says_so_and_leaves_the_others_alone(run, caplog):
    screen, broken, live = Screen(), Screen(), LiveDisplays()
    other = run.experiment.start_logging(snapshot_directory=None)
    live.add(RunDisplay(other.directory, broken))
    live.add(RunDisplay(run.directory, screen))
    shutil.rmtree(other.directory)
    broken.wait(lambda: "view of the run has stopped" in broken.outputs[1].data["text/plain"])
    run.complete()
    screen.wait(lambda: screen.outputs[0].data[RUN_MIME]["state"] == "Completed")
    assert "No such file or directory" in caplog.text


def test_a_fault_that_passes_stops_no_display(run):
    """A network file system may be away for half a minute."""
    display = RunDisplay(run.directory, Screen())
    display.refresh(0.0)
    pauses = []
    for now in (0, 15, 30, 45, 59):
        display.failed(OSError(116, "Stale file handle"), float(now))
        pauses.append(display.pause_s)
    assert not display.done.is_set()
    assert pauses == sorted(pauses)
    display.refreshed_at = 59.0
    assert in_turn([display], 60.0) == []
    assert pauses[-1] < 10
    display.succeeded()
    display.failed(OSError(116, "Stale file handle"), 61.0)  # the first of others
    assert not display.done.is_set()
    assert in_turn([display], 60.0) == [display]
    run.complete()


def test_a_display_says_so_when_faults_have_lasted_a_minute(run):
    screen = Screen()
    display = RunDisplay(run.directory, screen)
    display.refresh(0.0)
    for now in range(61):
        assert not display.done.is_set()
        display.failed(OSError(5, "Input/output error"), float(now))
    assert display.done.is_set()
    assert "has stopped" in screen.outputs[1].data["text/plain"]
    assert "Input/output error" in screen.outputs[1].data["text/plain"]
    run.complete()


def test_a_screen_that_takes_nothing_more_is_no_fault_of_the_other_displays(run, caplog):
    display = RunDisplay(run.directory, Screen())
    display.refresh(0.0)
    display.publish = lambda *_, **__: 1 / 0
    display.failed(OSError(5, "Input/output error"), 0.0)
    display.failed(OSError(5, "Input/output error"), 100.0)
    assert display.done.is_set()
    assert "ZeroDivisionError" in caplog.text
    run.complete()


def test_a_budget_makes_a_spender_wait_for_its_share():
    budget = Budget(rate=0.05, burst=1.0, now=0.0)
    budget.spend(1.0, 0.0)
    assert budget.wait_s(0.0) == 0
    budget.spend(0.5, 0.0)
    assert budget.wait_s(0.0) == pytest.approx(10)
    assert budget.wait_s(4.0) == pytest.approx(6)
    budget.spend(0.0, 1000.0)
    budget.spend(1.5, 1000.0)
    assert budget.wait_s(1000.0) == pytest.approx(10)


class Shell:
    def __init__(self, *, kernel=True, allow_stdin=True, **names):
        self.user_ns = names
        self._parent = {"content": {"allow_stdin": allow_stdin}}
        if kernel:
            self.kernel = object()

    def get_parent(self):
        return self._parent


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (Shell(), True),
        (Shell(allow_stdin=False), False),
        (Shell(allow_stdin=False, __vsc_ipynb_file__="x.ipynb"), True),
        (Shell(kernel=False), False),
    ],
)
def test_a_front_end_is_there_if_its_request_says_so(shell, expected):
    assert has_front_end(shell) is expected


def test_a_live_output_tells_as_of_when_it_is_and_the_final_one_does_not(run):
    now = [1_000_000.0]
    screen = Screen()
    display = RunDisplay(run.directory, screen, clock=lambda: now[0])
    display.refresh(0.0)
    told = time.strftime("%H:%M:%S", time.localtime(now[0]))
    picture, details = screen.outputs
    assert f"as of {told}" in picture.data["image/svg+xml"]
    assert f" {told}" in picture.data["text/plain"]
    assert f" {told}; if it stands still:" in details.data["text/html"]
    assert f"get_run(&quot;{short_id(run.id)}&quot;)" in details.data["text/html"]
    now[0] += 1.0
    display.refresh(1.0)  # nothing has happened to the run; the time that is told goes on
    later = time.strftime("%H:%M:%S", time.localtime(now[0]))
    assert f"as of {later}" in screen.outputs[0].data["image/svg+xml"]
    run.complete()
    display.refresh(2.0)
    assert display.done.is_set()
    assert not [output for output in screen.outputs if "as of" in str(output.data)]


def test_runs_of_this_notebook_that_are_going_are_found_again(run):
    other = run.experiment.start_logging(snapshot_directory=None)
    ended = run.experiment.start_logging(snapshot_directory=None)
    for each, notebook in ((run, "/a.ipynb"), (other, "/b.ipynb"), (ended, "/a.ipynb")):
        each.add_properties({NOTEBOOK_PROPERTY: notebook})
    ended.complete()
    assert [found.id for found in unfinished_runs("/a.ipynb")] == [run.id]
    assert unfinished_runs(None) == []


def test_no_workspace_is_made_by_looking_for_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert unfinished_runs("/a.ipynb") == []
    assert list(tmp_path.iterdir()) == []


CELL = {
    "id": "r",
    "experiment": "e",
    "definition": {"script": "cell.py"},
    "properties": {"notebook.cell_line": "8"},
}
SCRIPT = f"/x/runs/{run_directory_name('e', 'r')}/work/cell.py"


def test_lines_of_the_script_are_told_as_lines_of_the_cell():
    log = (f'File "{SCRIPT}", line 9, in <module>', f'File "{SCRIPT}", line 4, in f', f'File "{SCRIPT}x", line 9')
    frames = [{"file": SCRIPT, "line": 10}, {"file": SCRIPT, "line": 4}]
    styled = LogLine(log[0], ((0, 4, TextStyle(1)),))
    view = RunView(
        "r",
        "e",
        "Failed",
        log_tail=(styled, *map(LogLine, log[1:])),
        error={"message": "boom", "details": {"frames": frames}},
    )
    shown = in_cell_lines(view, cell_script(CELL))
    assert shown.log_tail == (LogLine('File "the cell", line 3, in <module>'), *map(LogLine, log[1:]))
    assert shown.error["details"]["frames"] == [{"file": "the cell", "line": 4}, frames[1]]
    assert shown.error["message"] == "boom (line 4 of the cell)"
    assert in_cell_lines(view, cell_script({"properties": {}})) is view


def test_a_warning_of_the_cell_names_its_line():
    lines = [f"{SCRIPT}:11: UserWarning: careful", "/v/lib/cell.py:11: UserWarning: theirs", "a.py:11: x"]
    view = RunView("r", "e", "Running", log_tail=tuple(map(LogLine, lines)))
    shown = [line.text for line in in_cell_lines(view, cell_script(CELL)).log_tail]
    assert shown[0].startswith("the cell, line ")
    assert shown[1:] == lines[1:]


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        (SCRIPT, True),
        (SCRIPT.replace("/x/", "/home/me/.amlnb-remote/"), True),
        ("cell.py", True),
        (SCRIPT.replace("cell.py", "lstm_cell.py"), False),
        (SCRIPT.replace("cell.py", "pkg/cell.py"), False),
        (SCRIPT.replace("cell.py", "work/cell.py"), False),
        (SCRIPT.replace("cell.py", "submitted_cell.py"), False),
        ("/env/lib/python3.11/site-packages/openpyxl/cell/cell.py", False),
        ("/x/runs/another-run/work/cell.py", False),
        ("lstm_cell.py", False),
        ("/cell.py", False),
    ],
)
def test_only_the_runs_own_script_is_the_cell(file, ours):
    error = {"message": "boom", "details": {"frames": [{"file": file, "line": 10, "text": "x"}]}}
    line = f'  File "{file}", line 10, in forward'
    view = RunView("r", "e", "Failed", log_tail=(LogLine(line),), error=error)
    shown = in_cell_lines(view, cell_script(CELL))
    assert shown.log_tail[0].text == ('  File "the cell", line 4, in forward' if ours else line)
    assert (shown.error["details"]["frames"][0]["file"] == "the cell") == ours
    assert (shown.error == error) != ours


def test_where_in_the_cell_an_error_was_is_told_before_its_hint():
    error = {"message": "Error: bad rate\nhint: give one", "details": {"frames": [{"file": SCRIPT, "line": 8}]}}
    told = error_in_cell_lines(error, cell_script(CELL))
    assert told["message"] == "Error: bad rate (line 2 of the cell)\nhint: give one"


def test_a_view_of_a_run_that_is_taken_for_dead_ends_at_its_second_poll(run):
    """A presumed end has no seal."""
    from amlnb.core import events
    from amlnb.tracking.journal import JournalWriter

    screen = Screen()
    display = RunDisplay(run.directory, screen)
    display.refresh(0.0)
    writer = JournalWriter(run.directory, "client")
    presumed = {"presumed": True, "seen": "Running", "reason": "presumed dead by me"}
    writer.write_event({"t": events.STATE, "attempt": 1, "phase": "Failed", "time": 1.0, **presumed})
    writer.close()
    display.refresh(0.1)
    assert not display.done.is_set()
    display.refresh(0.2)
    assert display.done.is_set()
    assert screen.outputs[0].data[RUN_MIME]["state"] == "Failed"
    assert "image/svg+xml" not in screen.outputs[0].data
    run.complete()


def test_runs_have_their_turn_by_what_they_cost_and_none_stands_still(run):
    displays = [RunDisplay(run.directory, Screen()) for _ in range(20)]
    costs = {id(display): 0.005 for display in displays} | {id(displays[3]): 0.05}
    turns = {id(display): [] for display in displays}
    for number in range(1000):
        now = number * 0.06  # there is time for one of them at each turn
        display = in_turn(displays, now)[0]
        turns[id(display)].append(now)
        display.refreshed_at, display.due = now, now + turn_s(costs[id(display)], 20)
    cheap, costly = turns[id(displays[0])], turns[id(displays[3])]
    assert len(cheap) > 2.5 * len(costly)
    for found in turns.values():
        assert max(after - before for before, after in itertools.pairwise([0.0, *found, 60.0])) < 6
    assert in_turn(displays, turns[id(displays[0])][-1] + 0.1)[0] is not displays[0]
    run.complete()


def test_many_runs_may_use_more_than_one_but_never_much():
    assert cpu_share(1) == pytest.approx(0.05)
    assert cpu_share(1000) == pytest.approx(0.1)


def test_a_silent_run_tells_the_time_as_often_as_it_is_asked_to(run):
    now = [1_000_000.0]
    display = RunDisplay(run.directory, Screen(), clock=lambda: now[0])
    display.refresh(0.0, 5.0)
    now[0] += 5.0
    assert display.refresh(4.9, 5.0) == 0
    assert display.refresh(5.0, 5.0) > 0
    run.complete()


def test_progress_is_shown_while_a_run_goes_on(run):
    screen = Screen()
    display = RunDisplay(run.directory, screen)
    run.progress(45, 100, "epoch 3")
    display.refresh(0.0)
    assert "45/100 · epoch 3" in screen.outputs[0].data["image/svg+xml"]
    assert "45/100 · epoch 3" in screen.outputs[1].data["text/html"]
    run.complete()
    display.refresh(1.0)
    assert "45/100" not in str([output.data for output in screen.outputs])
