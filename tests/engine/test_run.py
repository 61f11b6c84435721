"""What a submitted script gets, keeps and ends as, on this machine."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from amlnb.errors import (
    ActivityFailedException,
    ComputeTargetException,
    ExperimentExecutionException,
    UserErrorException,
)
from amlnb.store.run_reader import RunReader
from amlnb.tracking import context

pytestmark = pytest.mark.slow


def ended(run):
    return run.wait_for_completion(raise_on_error=False)


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def log_of(run):
    with open(os.path.join(run.directory, "user_logs", "std_log.txt"), encoding="utf-8", errors="replace") as file:
        return file.read()


def processes_of(run):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(context.RUN_ID) == run.id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def test_workers_of_a_pool_are_ended_without_a_word(submit):
    run = submit(
        """
        from joblib import Parallel, delayed
        print(sum(Parallel(n_jobs=2)(delayed(abs)(i) for i in range(4))))
        """
    )
    assert ended(run)["warnings"] == []
    assert processes_of(run) == []


def test_a_process_whose_main_thread_has_ended_first_is_canceled_like_any_other(submit):
    """It is a zombie in the list of processes, and its other threads go on."""
    run = submit(
        """
        import ctypes, threading, time
        def work():
            time.sleep(0.2)
            print("on", flush=True)
            time.sleep(600)
        threading.Thread(target=work).start()
        ctypes.CDLL(None).pthread_exit(None)
        """
    )
    until(lambda: run.get_status() == "Running" and "on" in log_of(run))
    run.cancel()
    assert ended(run)["status"] == "Canceled"
    assert processes_of(run) == []


def test_a_script_runs_and_everything_is_kept(submit):
    run = submit(
        """
        import sys
        from azureml.core import Run
        run = Run.get_context()
        print("argument", sys.argv[1:])
        print("to stderr", file=sys.stderr)
        for i in range(3):
            run.log("loss", 1 / (i + 1), step=i)
        run.tag("best", 3)
        open("outputs/model.txt", "w").write("weights")
        open("logs/more.txt", "w").write("more")
        open("scratch.txt", "w").write("left")
        """,
        "--lr",
        0.5,
    )
    details = ended(run)
    assert details["status"] == "Completed"
    assert details["runDefinition"]["arguments"] == ["--lr", 0.5]
    assert log_of(run) == "argument ['--lr', '0.5']\nto stderr\n"
    (warning,) = details["warnings"]
    assert "scratch.txt" in warning["message"]
    assert run.get_metrics() == {"loss": [1.0, 0.5, 1 / 3]}
    assert run.metrics("loss").index.tolist() == [0, 1, 2]
    assert run.get_tags() == {"best": "3"}
    assert run.get_file_names() == [
        "azureml-logs/70_driver_log.txt",
        "logs/more.txt",
        "outputs/model.txt",
        "user_logs/std_log.txt",
    ]
    run.download_file("outputs/model.txt", "copy.txt")
    with open("copy.txt", encoding="utf-8") as file:
        assert file.read() == "weights"


def test_output_order_is_that_of_the_writes(submit):
    run = submit(
        """
        import os, sys
        for i in range(200):
            (sys.stdout if i % 2 else sys.stderr).write(f"{i}\\n")
        """
    )
    ended(run)
    assert log_of(run).split() == [str(i) for i in range(200)]


def test_a_failed_script_tells_its_error_and_its_local_values(submit):
    run = submit(
        """
        import numpy as np
        def train(batch, secret="hunter2"):
            rows = np.zeros((3, 4))
            rate = 0.25
            raise ValueError("loss is gone")
        train(7)
        """
    )
    with pytest.raises(ActivityFailedException, match="loss is gone"):
        run.wait_for_completion()
    error = run.get_details()["error"]["error"]
    assert error["code"] == "UserError"
    assert error["message"] == "ValueError: loss is gone"
    frame = error["details"]["frames"][-1]
    assert frame["function"] == "train"
    told = {local["name"]: local for local in frame["locals"]}
    assert told["rows"] == {"name": "rows", "type": "numpy.ndarray", "shape": [3, 4], "dtype": "float64"}
    assert told["rate"]["value"] == "0.25"
    assert told["secret"] == {"name": "secret", "type": "str", "length": 7}
    assert "Traceback" in log_of(run)


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("import sys; sys.exit(3)", "UserError", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Signal", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Signal", "SIGKILL"),
        ("raise MemoryError('too much')", "OutOfMemory", "MemoryError"),
        ("x = bytearray(1 << 62)", "OutOfMemory", "MemoryError"),
        ("def broken(:", "UserError", "SyntaxError"),
    ],
)
def test_how_a_script_ended_is_told(submit, script, code, message):
    details = ended(submit(script))
    assert details["status"] == "Failed"
    assert details["error"]["error"]["code"] == code
    assert message in details["error"]["error"]["message"]


def test_the_kernels_out_of_memory_killer_is_told(submit):
    group = "/sys/fs/cgroup/memory/amlnb-test"
    try:
        os.makedirs(group, exist_ok=True)
        with open(os.path.join(group, "memory.limit_in_bytes"), "w", encoding="ascii") as file:
            file.write("60000000")
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    try:
        run = submit(
            f"""
            import os
            with open({group!r} + "/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))
            data = [os.urandom(1_000_000) for _ in range(500)]
            """
        )
        error = ended(run)["error"]["error"]
    finally:
        os.rmdir(group)
    assert error["code"] == "OutOfMemory"
    assert "SIGKILL" in error["message"]


def test_cancel_ends_the_whole_tree_and_children_that_called_setsid(submit, tmp_path):
    run = submit(
        """
        import os, subprocess, sys, time
        subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); os.fork(); time.sleep(600)"])
        subprocess.Popen("setsid sh -c 'sleep 600 & sleep 600' &", shell=True)
        time.sleep(0.5)
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    until(lambda: os.path.exists(os.path.join(run.directory, "user_logs/std_log.txt")) and "ready" in log_of(run))
    assert len(processes_of(run)) >= 5
    run.cancel()
    assert run.get_status() in ("CancelRequested", "Canceled")
    assert ended(run)["status"] == "Canceled"
    assert processes_of(run) == []


def test_a_script_that_ignores_term_is_killed_after_its_grace(submit, workspace, tmp_path):
    from amlnb.api.experiment import Experiment
    from amlnb.specs.run_spec import RunSpec

    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "s.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    run = Experiment(workspace, "test").submit(
        RunSpec("test", str(tmp_path / "s"), script="s.py", grace_s=0.3, timeout_s=600)
    )
    until(lambda: "ready" in run.get_details_with_logs()["logFiles"].get("user_logs/std_log.txt", ""))
    run.cancel()
    details = ended(run)
    assert details["status"] == "Canceled"
    assert processes_of(run) == []
    assert RunReader(run.directory).refresh()


def test_a_script_that_gives_itself_the_id_of_another_run_is_canceled_like_any_other(submit):
    run = submit(
        """
        import os, sys
        if os.environ["AMLNB_RUN_ID"] != "another":
            os.environ["AMLNB_RUN_ID"] = "another"
            os.execv(sys.executable, [sys.executable, __file__])
        print("ready", flush=True)
        import time
        time.sleep(600)
        """
    )
    until(lambda: os.path.exists(os.path.join(run.directory, "user_logs/std_log.txt")) and "ready" in log_of(run))
    run.cancel()
    assert ended(run)["status"] == "Canceled"


def test_a_time_limit_ends_in_canceled_and_says_so(submit):
    run = submit("import time; time.sleep(600)", max_run_duration_seconds=0.5)
    details = ended(run)
    assert details["status"] == "Canceled"
    assert details["error"]["error"]["code"] == "TimeLimit"
    assert "0.5 s" in details["error"]["error"]["message"]


@pytest.mark.slow
def test_the_use_of_the_machine_is_sampled_apart_from_the_metrics(submit):
    run = submit(
        """
        import time
        data = b"x" * 50_000_000
        end = time.time() + 1.4
        while time.time() < end:
            sum(range(1000))
        """
    )
    assert ended(run)["status"] == "Completed"
    table = run.system_metrics()
    assert table["cpu_percent"].iloc[0] > 20
    assert table["memory_bytes"].iloc[0] > 50_000_000
    assert table["processes"].iloc[0] == 1
    assert run.get_metrics() == {}


def test_what_a_script_leaves_behind_is_ended_and_told(submit):
    run = submit("import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)")
    details = ended(run)
    assert details["status"] == "Completed"
    assert "left behind" in details["warnings"][0]["message"]
    assert processes_of(run) == []


@pytest.mark.slow
def test_a_run_canceled_while_it_waits_never_starts(submit, own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    first = submit("import time; time.sleep(1.5)")
    second = submit("print('never')")
    second.cancel()
    assert ended(second)["status"] == "Canceled"
    assert not os.path.exists(os.path.join(second.directory, "user_logs"))
    assert ended(first)["status"] == "Completed"


def test_runs_start_in_the_order_of_their_submission(submit, own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    runs = [submit("pass") for _ in range(8)]
    started = []
    for run in runs:
        ended(run)
        started.append(run._facts().started)
    assert started == sorted(started)


def test_a_run_started_inside_a_run_has_its_own_id_and_life(submit, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "inner.py").write_text("from amlnb import Run\nprint(Run.get_context().id)\n", encoding="utf-8")
    outer = submit(
        f"""
        from amlnb import Experiment, Run, ScriptRunConfig, Workspace
        run = Experiment(Workspace.from_config({os.getcwd()!r}), "inner").submit(ScriptRunConfig({str(inner)!r}, "inner.py"))
        run.wait_for_completion()
        print(run.id)
        """
    )
    assert ended(outer)["status"] == "Completed", log_of(outer)
    inner_id = log_of(outer).strip()
    inner_run = outer.experiment.workspace.get_run(inner_id)
    assert inner_id != outer.id
    assert log_of(inner_run).strip() == inner_id


@pytest.mark.slow
def test_a_courier_started_from_inside_a_run_and_its_runs_outlive_that_run(submit, tmp_path, own_cache):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "inner.py").write_text("import time; time.sleep(1.5)\n", encoding="utf-8")
    outer = submit(
        f"""
        import os, signal, time
        from amlnb import Experiment, ScriptRunConfig, Workspace
        with open(os.path.join({own_cache!r}, "courier.lock")) as file:
            os.kill(int(file.read()), signal.SIGKILL)
        time.sleep(0.1)
        run = Experiment(Workspace.from_config({os.getcwd()!r}), "inner").submit(ScriptRunConfig({str(inner)!r}, "inner.py"))
        while run.get_status() != "Running":
            time.sleep(0.05)
        print(run.id)
        """
    )
    details = ended(outer)
    assert details["status"] == "Completed", log_of(outer)
    assert details["warnings"] == []
    inner_run = outer.experiment.workspace.get_run(log_of(outer).strip())
    assert ended(inner_run)["status"] == "Completed"


def test_a_script_may_delete_its_own_outputs_and_more(submit):
    run = submit(
        """
        import os, shutil
        from amlnb import Run
        Run.get_context().log("before", 1.0)
        shutil.rmtree("outputs")
        shutil.rmtree("../user_logs")
        Run.get_context().log("after", 2.0)
        """
    )
    assert ended(run)["status"] == "Completed"
    assert run.get_metrics() == {"before": 1.0, "after": 2.0}


def test_a_users_own_sitecustomize_still_runs(submit):
    run = submit(
        """
        import subprocess, sys, os
        os.makedirs("own", exist_ok=True)
        open("own/sitecustomize.py", "w").write("print('mine', __name__)")
        env = dict(os.environ, PYTHONPATH=os.environ["PYTHONPATH"] + os.pathsep + "own")
        subprocess.run([sys.executable, "-c", "from amlnb import Run; print('ours')"], env=env, check=True)
        """
    )
    ended(run)
    assert log_of(run).split("\n")[:2] == ["mine sitecustomize", "ours"]


def test_the_submitters_environment_reaches_the_script_and_not_the_run_directory(submit, monkeypatch):
    monkeypatch.setenv("SOME_SECRET", "tok-12345")
    run = submit("import os; print(len(os.environ['SOME_SECRET']))")
    ended(run)
    assert log_of(run).strip() == "9"
    found = subprocess.run(["grep", "-rl", "tok-12345", run.directory], capture_output=True, check=False)
    assert found.stdout == b""


def test_ranks_and_forked_workers_write_files_of_their_own(submit):
    run = submit(
        """
        import multiprocessing, os
        from amlnb import Run
        def work(i):
            Run.get_context().log("worker", float(i))
        if __name__ == "__main__":
            run = Run.get_context()
            run.log("loss", 1.0)
            for method in ("fork", "spawn"):
                context = multiprocessing.get_context(method)
                processes = [context.Process(target=work, args=(i,)) for i in range(3)]
                [p.start() for p in processes]
                [p.join() for p in processes]
            run.log("loss", 2.0)
        """
    )
    assert ended(run)["status"] == "Completed", log_of(run)
    assert run.get_metrics()["loss"] == [1.0, 2.0]
    assert sorted(run.get_metrics()["worker"]) == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_streaming_prints_the_log_as_v1_did(submit, capsys):
    run = submit("print('first line')\nprint('second line')")
    run.wait_for_completion(show_output=True)
    url = run.get_portal_url()
    assert capsys.readouterr().out == (
        f"RunId: {run.id}\nWeb View: {url}\n\nStreaming user_logs/std_log.txt\n{'=' * 31}\n\n"
        f"first line\nsecond line\n\nExecution Summary\n=================\nRunId: {run.id}\nWeb View: {url}\n\n"
    )


def test_a_missing_script_is_refused_with_those_that_are_there(workspace, tmp_path):
    from amlnb import Experiment, ScriptRunConfig

    (tmp_path / "train.py").write_text("pass")
    with pytest.raises(ExperimentExecutionException, match=r"there are: train\.py"):
        Experiment(workspace, "e").submit(ScriptRunConfig(str(tmp_path), "tarin.py"))


def test_an_unknown_target_is_refused_with_the_near_name(submit):
    with pytest.raises(ComputeTargetException, match=r"did you mean 'local'\?"):
        submit("pass", compute_target="locla")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"workspace_name": ""}'])
def test_a_broken_config_is_refused_with_its_path(tmp_path, text):
    from amlnb import Workspace

    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text(text)
    with pytest.raises(UserErrorException, match=r"config\.json"):
        Workspace.from_config(str(tmp_path))


def test_fifty_concurrent_runs_from_four_processes_all_end(workspace, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "s.py").write_text("from amlnb import Run\nRun.get_context().log('x', 1.0)\n")
    program = textwrap.dedent(
        f"""
        from amlnb import Experiment, ScriptRunConfig, Workspace
        experiment = Experiment(Workspace.from_config({os.getcwd()!r}), "many")
        for run in [experiment.submit(ScriptRunConfig({str(source)!r}, "s.py")) for _ in range(13)]:
            print(run.wait_for_completion()["status"], run.get_metrics())
        """
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert "".join(outputs).count("Completed {'x': 1.0}") == 52, outputs
    assert len(list(workspace.experiments["many"].get_runs())) == 52


def test_a_run_that_lives_in_a_process_ends_with_it(workspace, tmp_path):
    program = (
        "import os, signal\nfrom amlnb import Experiment, Workspace\n"
        f"run = Experiment(Workspace.from_config({os.getcwd()!r}), 'e').start_logging(snapshot_directory=None)\n"
        "run.log('x', 1.0)\nchild = run.child_run('kid')\nprint(run.id, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.returncode == -signal.SIGKILL
    run = workspace.get_run(process.stdout.strip())
    assert run.get_status() == "Failed"
    assert run.get_metrics() == {"x": 1.0}
    children = list(run.get_children())
    assert [child.display_name for child in children] == ["kid"]
    assert children[0].get_status() == "Failed"
