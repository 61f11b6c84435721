"""The command line as a person and a program meet it: exit codes, streams, errors, terminals."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from amlnb.api.workspace import Workspace
from amlnb.store.index import Index

from .conftest import Program

pytestmark = pytest.mark.slow  # each starts a program or several

TRAIN = """
import sys
from amlnb import Run
run = Run.get_context()
for i in range(5):
    run.log("loss", 1 / (i + 1), step=i)
print("argument", sys.argv[1:])
open("outputs/model.txt", "w").write("weights")
"""


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def commands(app=None, path=()):
    """Every command of the tree, as the words that call it."""
    import typer

    from amlnb.cli.app import _build

    command = typer.main.get_command(_build()) if app is None else app
    if not hasattr(command, "commands"):
        return [(path, command)]
    below = [(name, command.get_command(None, name)) for name in command.list_commands(None)]
    return [found for name, each in below for found in commands(each, (*path, name))]


@pytest.mark.parametrize(("words", "command"), commands(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_every_command_prints_json_and_says_what_it_does(words, command):
    names = {name for parameter in command.params for name in parameter.opts}
    assert "--json" in names
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None) or parameter.name in {"names", "name"}, (words, parameter.name)


def test_the_documentation_has_every_command():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, "docs", "cli.md"), encoding="utf-8") as file:
        text = file.read()
    assert [words for words, _ in commands() if f"`{' '.join(words)}`" not in text] == []


def test_submitting_without_a_workspace_makes_one_here_and_says_so(tmp_path):
    amlnb = Program(tmp_path)
    amlnb.script("pass")
    done = amlnb("submit", "script.py")
    assert done.returncode == 0
    assert f"made a workspace in {tmp_path}/.amlnb" in done.stderr
    assert done.stdout.strip() == amlnb.json("run", "wait", "last")["runs"][0]["id"]
    assert "made a workspace" not in amlnb("submit", "script.py").stderr


def test_a_run_that_waits_for_a_slot_says_so(amlnb, own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    amlnb.submit("import time; time.sleep(600)")
    waits = [amlnb.submit("pass") for _ in range(2)]
    assert amlnb.json("run", "show", waits[1])["reason"] == "waits for a free slot; 1 run stands before it"
    assert "waits for a free slot; 1 run stands before it" in amlnb("run", "show", waits[1]).stdout


def test_what_is_refused_makes_no_workspace(tmp_path):
    amlnb = Program(tmp_path)
    amlnb.script("pass")
    done = amlnb("submit", "--experiment", "a b", "script.py")
    assert done.returncode != 0
    assert "' ' is no letter" in done.stderr
    assert not os.path.exists(tmp_path / ".amlnb")


def test_a_script_is_submitted_watched_and_read_back(amlnb):
    amlnb.script(TRAIN, "train.py")
    done = amlnb("submit", "--wait", "-e", "digits", "--name", "first", "--tag", "a=b=c", "--timeout", "5m", "train.py", "--lr", "0.5", "--wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "argument ['--lr', '0.5', '--wait']\n"
    assert "--wait stands after the script" in done.stderr
    [run] = amlnb.json("run", "list")["runs"]
    assert (run["experiment"], run["display_name"], run["state"], run["tags"]) == ("digits", "first", "Completed", {"a": "b=c"})
    assert run["metrics"]["loss"] == {"count": 5, "last": 0.2, "min": 0.2, "max": 1.0}
    shown = amlnb.json("run", "show", "digits#1")
    assert shown["timeout_s"] == 300
    assert shown["exit_code"] == 0
    assert [file["name"] for file in shown["files"]] == ["azureml-logs/70_driver_log.txt", "outputs/model.txt", "user_logs/std_log.txt"]
    text = amlnb("run", "show", run["id"][-8:]).stdout
    for expected in ("✓ Completed  digits#1  first", "train.py --lr 0.5", "loss", "outputs/model.txt", "7 B"):
        assert expected in text
    table = amlnb("run", "list").stdout.splitlines()
    assert table[0].split() == ["run", "id", "state", "name", "age", "time", "loss", "lr", "wait"]
    assert table[1].split()[:5] == ["digits#1", run["id"][-8:], "✓", "Completed", "first"]
    assert amlnb("run", "logs", "last").stdout == done.stdout
    assert amlnb.json("run", "logs", "last") == {"offset": 0, "text": done.stdout}


@pytest.mark.parametrize(
    ("script", "code", "state"),
    [
        ("pass", 0, "Completed"),
        ("import sys; sys.exit(7)", 7, "Failed"),
        ("raise ValueError('no')", 1, "Failed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 128 + signal.SIGSEGV, "Failed"),
    ],
)
def test_waiting_exits_as_the_run_did(amlnb, script, code, state):
    run_id = amlnb.submit(script)
    done = amlnb("run", "wait", run_id)
    assert done.returncode == code
    assert done.stdout.split()[1:3] == [state, run_id]
    assert amlnb("run", "wait", run_id).returncode == code


def test_waiting_for_several_runs_exits_as_the_first_that_went_wrong(amlnb):
    good, bad = amlnb.submit("pass"), amlnb.submit("import sys; sys.exit(3)", name="bad.py")
    told = amlnb.json("run", "wait", good, bad, code=3)
    assert [run["exit_code"] for run in told["runs"]] == [0, 3]


def test_a_canceled_run_exits_with_130(amlnb):
    run_id = amlnb.submit("import time; time.sleep(600)")
    canceled = amlnb("run", "cancel", run_id)
    assert canceled.stdout.split(": ")[1].strip() in {"CancelRequested", "Canceled"}
    assert amlnb("run", "wait", run_id).returncode == 130
    assert "had ended already: Canceled" in amlnb("run", "cancel", run_id).stdout


@pytest.mark.parametrize("command", [("run", "logs", "-f"), ("run", "wait")])
def test_ctrl_c_detaches_and_says_that_the_run_goes_on(amlnb, command):
    run_id = amlnb.submit("import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)\n")
    following = amlnb.start(*command, run_id)
    try:
        if "logs" in command:
            assert following.stdout.readline() == "begun\n"
        else:
            # It looks the run up in an index of its own making, and then waits.
            until(lambda: os.path.exists(Index(Workspace.from_config(amlnb.folder).directory).path))
            time.sleep(0.3)
        following.send_signal(signal.SIGINT)
        _, error = following.communicate(timeout=30)
    finally:
        following.kill()
    assert following.returncode == 130, error
    assert f"the run {run_id} goes on" in error
    assert "Traceback" not in error
    assert amlnb.json("run", "show", run_id)["state"] == "Running"
    amlnb("run", "cancel", run_id)


def test_following_ends_with_the_run_and_prints_all_of_it(amlnb):
    run_id = amlnb.submit("import time\nfor i in range(20): print(i, flush=True); time.sleep(0.02)\n")
    done = amlnb("run", "logs", "-f", run_id)
    assert done.stdout.split() == [str(i) for i in range(20)]
    assert "Completed" in done.stderr
    assert amlnb("run", "logs", "--tail", "3", run_id).stdout.split() == ["17", "18", "19"]


def test_a_closed_pipe_is_quiet(amlnb):
    run_id = amlnb.submit("print('x' * 2_000_000)")
    amlnb("run", "wait", run_id)
    command = f"{sys.executable} -m amlnb run logs {run_id} | head -c 5; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=amlnb.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (141, "xxxxx", "")


BAD = [
    # words, exit code, what the message holds
    ((), 2, None),
    (("run",), 2, None),
    (("nonsense",), 2, "nonsense"),
    (("run", "lst"), 2, "list"),
    (("run", "show"), 2, "RUN"),
    (("run", "list", "--nope"), 2, "--nope"),
    (("run", "list", "--limit", "many"), 2, "many"),
    (("run", "list", "--state", "Done"), 1, "Completed"),
    (("run", "list", "-e", "tset"), 1, "did you mean 'test'"),
    (("run", "show", ""), 1, "there is no run ''"),
    (("run", "show", "test#7"), 1, "did you mean 'test#"),
    (("run", "show", "test_"), 1, "can be any of 2 runs"),
    (("run", "show", "../run.json"), 1, "there is no run"),
    (("run", "logs", "--tail", "-1", "last"), 2, "-1"),
    (("run", "wait", "test#9", "last"), 1, "test#9"),
    (("run", "delete", "last"), 1, "--yes"),
    (("run", "presume-dead", "last"), 1, "--yes"),
    (("run", "files", "last", "outputs/modle.txt"), 1, "did you mean 'outputs/model.txt'"),
    (("run", "download", "last", "nothing/*"), 1, "nothing/*"),
    (("run", "bundle", "last", "--max-size", "big"), 1, "500M"),
    (("run", "bundle", "last", "-o", "missing/folder/x.zip"), 1, "missing/folder"),
    (("run", "bundle", "last", "-o", "train.py"), 1, "already"),
    (("submit", "tarin.py"), 1, "train.py"),
    (("submit", "notebook.ipynb"), 1, "notebook"),
    (("submit", "--target", "locla", "train.py"), 1, "did you mean 'local'"),
    (("submit", "--tag", "=novalue", "train.py"), 1, "has no key"),
    (("submit", "--timeout", "soon", "train.py"), 1, "soon"),
    (("submit", "--timeout", "0", "train.py"), 1, "above 0"),
    (("submit", "--experiment", "a/b", "train.py"), 1, "a/b"),
    (("submit", "--source-directory", "nowhere", "train.py"), 1, "nowhere"),
    (("submit", "--nope", "train.py"), 2, "--nope"),
    (("submit",), 2, "script"),
    (("experiment", "archive", "test", "nope"), 1, "nope"),
    (("target", "add", "box"), 2, "--host"),
    (("target", "add", "box", "--host", "-oProxyCommand=x"), 1, "-oProxyCommand=x"),
    (("target", "add", "../box", "--host", "h"), 1, "../box"),
    (("target", "add", "box", "--host", "h", "--kind", "slurm"), 1, "slurm"),
    (("target", "add", "box", "--host", "h", "--port", "99999"), 2, "99999"),
    (("target", "add", "box", "--host", "h", "--option", "x"), 1, "KEY=VALUE"),
    (("target", "remove", "local"), 1, "this machine"),
    (("target", "remove", "../runs/x/run"), 1, "no compute target"),
]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A project with two runs that nothing changes."""
    amlnb = Program(tmp_path_factory.mktemp("used"))
    for _ in range(2):
        amlnb.submit(TRAIN, options=("-e", "test"), name="train.py")
    amlnb("run", "wait", "test#1", "test#2")
    return amlnb


@pytest.mark.parametrize(("words", "code", "told"), BAD, ids=[" ".join(words) or "nothing" for words, _, _ in BAD])
def test_bad_input_is_refused_with_a_hint_and_no_traceback(used, words, code, told):
    done = used(*words, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if told is None:
        assert "Usage: amlnb" in done.stdout
        return
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "\nhint: " in done.stderr or code == 1
    assert told in done.stderr


def test_after_refusals_nothing_has_changed(used):
    assert [run["id"] for run in used.json("run", "list", "--archived")["runs"]] == [
        run["id"] for run in used.json("run", "list")["runs"]
    ]
    assert len(used.json("run", "list")["runs"]) == 2
    assert [each["name"] for each in used.json("target", "list")["targets"]] == ["local"]


@pytest.mark.parametrize(
    ("words", "code", "type"),
    [
        (("run", "show", "nope", "--json"), 1, "UserErrorException"),
        (("run", "show", "--json", "--nope"), 2, "UsageError"),
        (("submit", "--json", "--target", "nope", "train.py"), 1, "ComputeTargetException"),
    ],
)
def test_errors_are_json_too(used, words, code, type):
    done = used(*words)
    assert done.returncode == code
    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    assert error["type"] == type
    assert error["message"]
    assert error["hint"]


@pytest.mark.parametrize("words", [("run", "list"), ("run", "show", "last"), ("target", "list"), ("gc", "--dry-run"), ("index", "rebuild")])
def test_without_a_workspace_it_says_where_it_looked(tmp_path, words):
    done = Program(tmp_path)(*words)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert not os.path.exists(tmp_path / ".amlnb")


@pytest.mark.parametrize("text", ["{", "[]", '{"workspace_name": ""}'])
def test_a_broken_config_is_named(tmp_path, text):
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text(text)
    amlnb = Program(tmp_path)
    assert "config.json" in amlnb("run", "list").stderr
    done = amlnb("doctor")
    assert done.returncode == 1
    assert "fault    workspace: " in done.stdout


def test_unreadable_runs_are_told_and_the_others_listed(amlnb):
    amlnb("run", "wait", amlnb.submit("pass"))
    for name, text in {"damaged-1": "{", "newer-1": '{"format": 99, "id": "x", "experiment": "y"}'}.items():
        os.makedirs(os.path.join(amlnb.folder, ".amlnb", "runs", name))
        with open(os.path.join(amlnb.folder, ".amlnb", "runs", name, "run.json"), "w", encoding="ascii") as file:
            file.write(text)
    done = amlnb("run", "list")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.count("cannot be read") == 2
    assert "format 99" in done.stderr
    listed = amlnb.json("run", "list")
    assert (len(listed["runs"]), len(listed["unreadable"])) == (1, 2)
    assert amlnb.json("index", "rebuild")["runs"] == 1
    checks = {check["name"]: check for check in amlnb.json("doctor")["checks"]}
    assert checks["runs"]["status"] == "warning"
    assert len(checks["runs"]["details"]) == 2


def test_filters_choose_the_runs_that_are_listed(amlnb):
    first = amlnb.submit("pass", options=("-e", "a", "--tag", "kind=x"))
    second = amlnb.submit("raise SystemExit(1)", options=("-e", "b", "--tag", "kind=y"), name="fails.py")
    amlnb("run", "wait", first, second)
    amlnb("run", "archive", first)

    def listed(*options):
        return [run["id"] for run in amlnb.json("run", "list", *options)["runs"]]

    assert listed() == [second]
    assert listed("--archived") == [second, first]
    assert listed("--archived", "-e", "a") == [first]
    assert listed("--archived", "--state", "completed") == [first]
    assert listed("--archived", "--tag", "kind=y") == [second]
    assert listed("--archived", "--tag", "kind", "--limit", "1") == [second]
    assert listed("--tag", "nothing") == []
    amlnb("run", "reactivate", "a#1")
    assert listed() == [second, first]


def test_experiments_are_put_away_and_back(amlnb):
    amlnb("run", "wait", amlnb.submit("pass", options=("-e", "digits")))
    assert amlnb.json("experiment", "archive", "digits") == {"experiments": [{"name": "digits", "archived": True}]}
    assert amlnb.json("experiment", "list") == {"experiments": []}
    assert amlnb.json("experiment", "list", "--archived")["experiments"][0]["runs"] == 1
    assert amlnb("experiment", "reactivate", "digits").stdout == "digits: back in listings\n"
    assert amlnb("experiment", "list").stdout.split()[3:5] == ["digits", "1"]


def test_targets_are_added_listed_replaced_and_removed(amlnb):
    added = amlnb.json("target", "add", "box", "--host", "h", "--user", "u", "--port", "2222", "--option", "ProxyJump=gate")
    assert added == {"name": "box", "kind": "ssh", "host": "h", "user": "u", "port": 2222, "options": {"ProxyJump": "gate"}}
    assert "already" in amlnb("target", "add", "box", "--host", "other").stderr
    amlnb("target", "add", "box", "--host", "other", "--replace")
    assert amlnb("target", "list").stdout.splitlines()[-1].split() == ["box", "ssh", "other"]
    with open(os.path.join(amlnb.folder, ".amlnb", "targets", "box.json"), "w", encoding="ascii") as file:
        file.write("{")
    assert "damaged" in amlnb.json("target", "list")["targets"][1]["error"]
    assert amlnb.json("target", "remove", "box") == {"removed": "box"}
    assert len(amlnb.json("target", "list")["targets"]) == 1


def test_files_are_downloaded_by_name_folder_and_pattern_and_never_overwritten_unasked(used, tmp_path):
    def got(*names):
        folder = str(tmp_path / "-".join(names).replace("/", "_").replace("*", "x"))
        return sorted(file["name"] for file in used.json("run", "download", "last", *names, "-o", folder)["files"])

    assert got() == ["outputs/model.txt", "user_logs/std_log.txt"]
    assert got("outputs") == got("outputs/") == got("outputs/*") == got("outputs/model.txt") == ["outputs/model.txt"]
    there = tmp_path / "outputs_model.txt" / "outputs" / "model.txt"
    there.write_text("mine")
    refused = used("run", "download", "last", "outputs", "-o", str(tmp_path / "outputs_model.txt"))
    assert refused.returncode == 1
    assert there.read_text() == "mine"
    assert used("run", "download", "last", "outputs", "-o", str(tmp_path / "outputs_model.txt"), "--overwrite").returncode == 0
    assert there.read_text() == "weights"


def on_terminal(program, *arguments, answer=b"", **environ):
    """What the program prints on a terminal of 80 columns, and its exit code."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "amlnb", *arguments], cwd=program.folder, stdin=child, stdout=child, stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environ},
    )  # fmt: skip
    os.close(child)
    os.write(parent, answer)
    output = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # the terminal is gone with its last user
            break
        if not part:
            break
        output += part
    os.close(parent)
    return output.decode(), process.wait()


def test_colours_are_for_terminals_that_want_them(used):
    coloured, _ = on_terminal(used, "run", "list")
    assert "\x1b[32m✓ Completed" in coloured
    plain, _ = on_terminal(used, "run", "list", NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "\x1b" not in used("run", "list").stdout


def test_on_a_terminal_deleting_asks_first(amlnb):
    run_id = amlnb.submit("pass")
    amlnb("run", "wait", run_id)
    output, code = on_terminal(amlnb, "run", "delete", run_id, answer=b"n\n")
    assert (code, f"Delete the run {run_id} with all files?" in output) == (1, True)
    assert len(amlnb.json("run", "list")["runs"]) == 1
    output, code = on_terminal(amlnb, "run", "delete", run_id, answer=b"y\n")
    assert (code, "deleted" in output) == (0, True)
    assert amlnb.json("run", "list")["runs"] == []


def test_a_run_runs_again_without_its_source(amlnb):
    run_id = amlnb.submit(TRAIN, "--lr", "3", options=("--tag", "a=b"), name="train.py")
    amlnb("run", "wait", run_id)
    os.unlink(os.path.join(amlnb.folder, "train.py"))
    told = amlnb.json("run", "rerun", run_id, "--wait")
    assert told["state"] == "Completed"
    again = amlnb.json("run", "show", "last")
    assert again["id"] == told["id"] != run_id
    assert (again["arguments"], again["tags"]) == (["--lr", "3"], {"a": "b"})
    assert again["properties"]["amlnb.rerun_of"] == run_id
    assert amlnb("run", "logs", "last").stdout == "argument ['--lr', '3']\n"


def test_doctor_tells_what_it_stands_on(used, tmp_path):
    told = used.json("doctor")
    assert told["ok"] is True
    checks = {check["name"]: check for check in told["checks"]}
    assert {"python", "cache", "courier", "slots", "workspace", "runs", "targets"} <= checks.keys()
    assert checks["runs"]["message"] == "2 in format 1"
    assert os.environ["AMLNB_CACHE_DIR"] in checks["cache"]["message"]
    elsewhere = Program(tmp_path)("doctor")
    assert elsewhere.returncode == 0
    assert "warning  workspace: none" in elsewhere.stdout


def test_doctor_finds_a_cache_that_cannot_be_used(used, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = used("doctor", env={**os.environ, "AMLNB_CACHE_DIR": str(blocked)})
    assert done.returncode == 1
    assert "fault    cache: " in done.stdout
    assert "hint: set AMLNB_CACHE_DIR" in done.stdout


def test_help_and_listing_load_nothing_heavy(used):
    heavy = ["pandas", "matplotlib", "IPython", "papermill", "tsdownsample", "cloudpickle"]
    for words, more in ((["--help"], ["numpy"]), (["run", "list"], ["rich.console"])):
        program = f"import sys; from amlnb.cli.app import main; main({words}); print(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", program], cwd=used.folder, capture_output=True, text=True, check=False)
        assert [name for name in heavy + more if name in done.stderr.split()] == []
