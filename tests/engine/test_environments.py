"""Runs in environments that are built for them: through the courier, with a real uv and tiny packages in a folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest
import uv

from amlnb import host
from amlnb.api.comparison import compare
from amlnb.api.run_reading import run_at
from amlnb.core import layout
from amlnb.engine import environments, queue, targets
from amlnb.engine.builder_process import BuilderProcess
from amlnb.engine.bundle_environment import describe_environment
from amlnb.engine.courier.preparation import Waiting
from amlnb.engine.rerun import rerun
from amlnb.engine.reuse import completed_run
from amlnb.engine.submit import prepare, submit
from amlnb.environments import interpreters, locks, prefixes
from amlnb.errors import ActivityFailedException, ComputeTargetException, EnvironmentBuildException, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.specs.run_spec import RunSpec
from amlnb.store.run_reader import RunReader
from tests.environments.package_files import BACKEND, BROKEN_BACKEND, make_sdist, make_wheel

# Builds only once a file lies beside it; says by another one that it has begun, and counts how often.
SLOW_BACKEND = """
import os, time

def _wait():
    with open(os.path.join({folder!r}, "begun"), "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    while not os.path.exists(os.path.join({folder!r}, "go")):
        time.sleep(0.02)
""" + BACKEND.replace("{", "{{").replace("}", "}}").replace(
    '    with open("made.whl.base64")', '    _wait()\n    with open("made.whl.base64")'
)
SCRIPT = """
import sys, spam
from amlnb import Run
print(sys.prefix)
run = Run.get_context()
run.log("version", float(spam.__version__))
with open("outputs/spam.txt", "w") as file:
    file.write(spam.__version__)
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of packages, which is all that uv knows."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return str(folder)


@pytest.fixture
def spec(tmp_path):
    """A RunSpec of a script that needs ``spam``."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)

    def spec_(*pip, **asked):
        environment = EnvironmentSpec(pip=pip or ("spam",), origin="--env", **asked)
        return RunSpec("test", str(source), script="train.py", environment=environment)

    return spec_


@pytest.fixture
def go(workspace, own_cache, shelf, spec):
    """Submit to an environment; returns the run."""

    def go_(*pip, **asked):
        return run_at(submit(spec(*pip, **asked), workspace.directory))

    return go_


def slow_package(shelf, tmp_path):
    """A source whose build waits for ``tmp_path/go``."""
    make_sdist(shelf, "spam", "1.0", backend=SLOW_BACKEND.format(folder=str(tmp_path)))


def until(happened, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def begun(tmp_path):
    path = tmp_path / "begun"
    return path.read_text().split() if path.exists() else []


def builders(cache):
    """Builder processes of a cache, by their command lines."""
    found = []
    for process in psutil.process_iter():
        try:
            if "amlnb.environments" in process.cmdline() and process.environ().get("AMLNB_CACHE_DIR") == cache:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def build_log(run):
    with open(os.path.join(run.directory, layout.BUILD_LOG), encoding="utf-8") as file:
        return file.read()


def user_log(run):
    with open(os.path.join(run.directory, layout.USER_LOG), encoding="utf-8") as file:
        return file.read()


class TestARun:
    def test_gets_what_it_asked_for(self, go, shelf, own_cache):
        make_wheel(shelf, "spam", "1.5")
        run = go()
        details = run.wait_for_completion()
        assert details["status"] == "Completed"
        assert run.get_metrics() == {"version": 1.5}
        assert "resolved: 1 package" in build_log(run)
        assert layout.BUILD_LOG in run.get_file_names()
        with open(os.path.join(run.directory, layout.ENVIRONMENT_JSON), encoding="utf-8") as file:
            kept = json.load(file)
        assert [(each["name"], each["version"]) for each in kept["lock"]["packages"]] == [("spam", "1.5")]
        assert kept["lock"]["packages"][0]["hashes"][0].startswith("sha256:")
        prefix = kept["prefix"]
        assert prefix.startswith(own_cache)
        assert user_log(run) == f"{prefix}\n"
        assert details["runDefinition"]["environment"]

    def test_of_the_same_request_builds_nothing(self, go, shelf, tmp_path):
        (tmp_path / "go").touch()
        slow_package(shelf, tmp_path)
        for _ in range(2):
            run = go()
            run.wait_for_completion()
        assert len(begun(tmp_path)) == 1
        assert layout.BUILD_LOG not in run.get_file_names()


@pytest.mark.slow
class TestHowARunLives:
    def test_has_another_python(self, go, shelf):
        make_wheel(shelf, "spam", "1.0")
        others = [each for each in environments_of_this_machine() if each != ".".join(map(str, sys.version_info[:2]))]
        if not others:
            pytest.skip("this machine has one Python only")
        for minor in others:
            run = go("spam", python=minor)
            assert run.wait_for_completion()["status"] == "Completed", minor
            with open(os.path.join(run.directory, layout.ENVIRONMENT_JSON), encoding="utf-8") as file:
                assert json.load(file)["lock"]["python"].startswith(minor)

    def test_is_not_disturbed_by_the_persons_pythonpath(self, go, shelf, tmp_path, monkeypatch):
        make_wheel(shelf, "spam", "1.0")
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "spam.py").write_text("raise SystemExit('of another Python')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "mine"))
        assert go().wait_for_completion()["status"] == "Completed"

    def test_runs_the_commands_of_its_environment(self, go, shelf, workspace, spec):
        make_wheel(
            shelf,
            "spam",
            "1.0",
            files={"spam.py": "def main():\n    print('eggs')\n"},
            entry_points={"eggs": "spam:main"},
        )
        run = run_at(submit(replace(spec(), script=None, command="eggs"), workspace.directory))
        run.wait_for_completion()
        assert user_log(run) == "eggs\n"

    def test_is_warned_of_what_is_otherwise(self, go, shelf):
        make_wheel(shelf, "spam", "1.0", tag="cp27-cp27m-manylinux1_x86_64")
        make_wheel(shelf, "spam", "1.1")
        for _ in range(2):  # the one that builds, and the one that finds it built
            warnings = [each["message"] for each in go("spam==1.0").wait_for_completion()["warnings"]]
            assert any("spam==1.1 is the nearest that can" in text for text in warnings), warnings

    def test_with_a_soft_python_has_the_workspaces(self, go, shelf):
        make_wheel(shelf, "spam", "1.0")
        details = go("spam", python="3.6.2", python_is_soft=True).wait_for_completion()
        assert any("Python 3.6.2 was asked for" in each["message"] for each in details["warnings"])

    def test_that_asks_for_nothing_more_has_the_workspaces_own(self, workspace, own_cache, tmp_path, spec):
        run = run_at(
            submit(
                RunSpec(
                    "test",
                    str(tmp_path / "source"),
                    command="python -c 'import numpy'",
                    environment=EnvironmentSpec(python="3.6.2", python_is_soft=True, pip=("azureml-defaults",)),
                ),
                workspace.directory,
            )
        )
        details = run.wait_for_completion()
        assert details["status"] == "Completed"
        assert any("Python 3.6.2 was asked for" in each["message"] for each in details["warnings"])
        assert not os.path.exists(os.path.join(run.directory, layout.ENVIRONMENT_JSON))

    def test_lives_in_an_environment_that_was_there(self, workspace, own_cache, spec, tmp_path, monkeypatch):
        place = str(tmp_path / "its own")
        subprocess.run([uv.find_uv_bin(), "venv", "-q", "--offline", "-p", sys.executable, place], check=True)
        monkeypatch.setenv("PYTHONPATH", "/mine")
        asked = EnvironmentSpec(interpreter=place)
        command = 'echo "$VIRTUAL_ENV"; echo "$PYTHONPATH" | grep -c /mine; which python'
        run = run_at(submit(replace(spec(), script=None, command=command, environment=asked), workspace.directory))
        run.wait_for_completion(raise_on_error=False)
        assert user_log(run) == f"{place}\n0\n{place}/bin/python\n"


def environments_of_this_machine():
    return sorted({each.minor for each in interpreters.find_all(os.environ)})


@pytest.mark.slow
class TestOnce:
    def test_ten_runs_at_once_build_once(self, go, shelf, tmp_path):
        slow_package(shelf, tmp_path)
        runs = [go() for _ in range(10)]
        until(lambda: begun(tmp_path))
        until(lambda: all(run.get_status() == "Preparing" for run in runs))
        (tmp_path / "go").touch()
        assert [run.wait_for_completion()["status"] for run in runs] == ["Completed"] * 10
        assert len(begun(tmp_path)) == 1
        assert all("building spam 1.0" in build_log(run) for run in runs)

    def test_two_that_build_at_the_same_time(self, workspace, own_cache, shelf, tmp_path):
        slow_package(shelf, tmp_path)
        program = (
            "import sys; from amlnb.engine import environments; "
            "from amlnb.specs.environment_spec import EnvironmentSpec; "
            "print(environments.build(EnvironmentSpec(pip=('spam',)), sys.argv[1], lambda line: None).prefix)"
        )
        command = [sys.executable, "-c", program, workspace.directory.path]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        until(lambda: len(builders(own_cache)) == 2)
        (tmp_path / "go").touch()
        told = [process.communicate(timeout=60)[0] for process in both]
        assert told[0] == told[1] != ""
        assert len(begun(tmp_path)) == 1

    def test_a_run_behind_others_says_so(self, go, shelf, tmp_path):
        slow_package(shelf, tmp_path)
        runs = [go("spam", f"spam>=0.{count}") for count in range(3)]
        until(lambda: len(begun(tmp_path)) == 1)
        until(lambda: all(run.get_status() == "Preparing" for run in runs))
        until(lambda: layout.BUILD_LOG in runs[2].get_file_names())
        assert "waiting for other builds" in build_log(runs[2])
        (tmp_path / "go").touch()
        assert [run.wait_for_completion()["status"] for run in runs] == ["Completed"] * 3

    def test_a_run_in_another_environment_does_not_wait(self, go, shelf, tmp_path):
        slow_package(shelf, tmp_path)
        make_wheel(shelf, "ham", "1.0")
        waiting = go()
        until(lambda: begun(tmp_path))
        make_wheel(shelf, "spam", "2.0")
        assert go("spam==2.0").wait_for_completion()["status"] == "Completed"
        assert waiting.get_status() == "Preparing"
        (tmp_path / "go").touch()
        assert waiting.wait_for_completion()["status"] == "Completed"


class TestWaiting:
    def test_keeps_no_file_open(self, workspace, own_cache, shelf, spec):
        directory = submit(spec(), workspace.directory)
        waiting = Waiting(directory, {"key": "0" * 32, "data": workspace.directory.path}, {})
        before = len(os.listdir("/proc/self/fd"))
        for done in range(3):
            waiting.tell({"done": done, "total": 3, "text": "unpacking"})
            assert len(os.listdir("/proc/self/fd")) == before
        reader = RunReader(directory)
        reader.refresh()
        assert 2 in [(each.progress or {}).get("done") for each in reader.writers]
        waiting.close()


@pytest.mark.slow
class TestKilled:
    def test_a_builder_that_is_killed_is_started_again(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run = go()
        until(lambda: begun(tmp_path))
        for process in builders(own_cache):
            process.kill()
        until(lambda: len(begun(tmp_path)) == 2)
        assert host.start_time(int(begun(tmp_path)[0])) is None  # what it had started went with it
        (tmp_path / "go").touch()
        assert run.wait_for_completion()["status"] == "Completed"

    def test_a_builder_that_is_killed_again_and_again_is_told(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run = go()
        for count in (1, 2):
            until(lambda count=count: len(begun(tmp_path)) == count)
            for process in builders(own_cache):
                process.kill()
        with pytest.raises(ActivityFailedException, match="ended by signal 9"):
            run.wait_for_completion()
        assert "memory" in run.get_details()["error"]["error"]["hint"]

    def test_a_builder_that_is_asked_to_end_takes_along_what_it_started(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run = go()
        until(lambda: begun(tmp_path))
        [builder] = builders(own_cache)
        below = builder.children(recursive=True)
        assert len(below) >= 2  # uv, and the Python that builds
        os.kill(builder.pid, signal.SIGTERM)
        until(lambda: all(host.start_time(each.pid) is None for each in (builder, *below)))
        run.cancel()
        run.wait_for_completion()

    @pytest.mark.parametrize(("ended_by", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    def test_the_command_that_builds(self, workspace, own_cache, shelf, tmp_path, ended_by, code):
        slow_package(shelf, tmp_path)
        folder = os.path.dirname(workspace.directory.path)
        command = [sys.executable, "-m", "amlnb", "env", "build", "spam"]
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: begun(tmp_path))
            [builder] = builders(own_cache)
            below = builder.children(recursive=True)
            process.send_signal(ended_by)
            told = process.communicate(timeout=60)[1]
        assert process.returncode == code, told
        assert "Traceback" not in told
        until(lambda: all(host.start_time(each.pid) is None for each in (builder, *below)))

    def test_a_builder_leaves_nothing_in_the_temporary_folder(self, go, shelf, own_cache, tmp_path, monkeypatch):
        (tmp_path / "temporary").mkdir()
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
        slow_package(shelf, tmp_path)
        run = go()
        until(lambda: begun(tmp_path))
        [its] = [name for name in os.listdir(os.path.join(own_cache, "builds")) if name.endswith(".tmp")]
        for process in builders(own_cache):
            process.kill()
        (tmp_path / "go").touch()
        assert run.wait_for_completion()["status"] == "Completed"
        until(lambda: not os.path.exists(os.path.join(own_cache, "builds", its)))
        assert os.listdir(tmp_path / "temporary") == []

    def test_half_an_environment_is_never_taken_for_one(self, workspace, own_cache, shelf):
        make_wheel(shelf, "spam", "1.0")
        asked = EnvironmentSpec(pip=("spam",))
        found = environments.build(asked, workspace.directory.path, lambda _: None)
        os.unlink(os.path.join(found.prefix, "amlnb-environment.json"))  # as one that was killed just before its end
        os.unlink(os.path.join(found.prefix, "lib", f"python{found.lock.minor}", "site-packages", "spam.py"))
        assert environments.find(asked, workspace.directory.path)[1].prefix is None
        again = environments.build(asked, workspace.directory.path, lambda _: None)
        assert again.prefix == found.prefix
        subprocess.run([again.interpreter, "-c", "import spam"], check=True)

    def test_the_courier(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run = go()
        until(lambda: begun(tmp_path))
        with open(os.path.join(own_cache, "courier.lock"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        until(lambda: run.get_status() in ("Preparing", "NotStarted"))
        (tmp_path / "go").touch()
        assert run.wait_for_completion()["status"] == "Completed"
        assert len(begun(tmp_path)) == 1

    def test_a_builder_whose_courier_was_killed_ends_once_nobody_waits(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run = go()
        until(lambda: begun(tmp_path))
        with open(os.path.join(own_cache, "courier.lock"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        assert len(builders(own_cache)) == 1
        run.cancel()
        assert run.wait_for_completion()["status"] == "Canceled"
        until(lambda: not builders(own_cache))

    def test_canceled_while_it_is_built(self, go, shelf, own_cache, tmp_path):
        slow_package(shelf, tmp_path)
        run, other = go(), go()
        until(lambda: begun(tmp_path))
        run.cancel()
        assert run.wait_for_completion()["status"] == "Canceled"
        assert len(builders(own_cache)) == 1  # the other one waits for it too
        other.cancel()
        assert other.wait_for_completion()["status"] == "Canceled"
        until(lambda: not builders(own_cache))
        until(lambda: host.start_time(int(begun(tmp_path)[0])) is None)

    def test_canceled_and_submitted_again_and_again(self, go, shelf, own_cache, tmp_path):
        """A builder that ends because nobody waits has not crashed."""
        slow_package(shelf, tmp_path)
        for count in range(1, 4):
            run = go()
            until(lambda count=count: len(begun(tmp_path)) == count)
            run.cancel()
            assert run.wait_for_completion()["status"] == "Canceled"
        last = go()
        (tmp_path / "go").touch()
        assert last.wait_for_completion()["status"] == "Completed"


class TestThatCannotBeBuilt:
    def test_fails_with_the_solvers_own_words_and_a_hint(self, go, shelf):
        make_wheel(shelf, "spam", "1.0")
        run = go("spam==7.0")
        with pytest.raises(ActivityFailedException) as error:
            run.wait_for_completion()
        assert "no version of spam==7.0" in str(error.value)
        details = run.get_details()
        assert details["status"] == "Failed"
        assert details["error"]["error"]["code"] == "EnvironmentBuildFailed"
        assert "1.0" in details["error"]["error"]["hint"]
        assert "no version of spam==7.0" in build_log(run)

    @pytest.mark.slow
    def test_a_source_that_does_not_build(self, go, shelf):
        make_sdist(shelf, "spam", "1.0", backend=BROKEN_BACKEND)
        run = go()
        details = run.wait_for_completion(raise_on_error=False)
        assert "command 'gcc' failed" in details["error"]["error"]["message"]
        assert "build-essential" in details["error"]["error"]["hint"]

    @pytest.mark.slow
    def test_is_tried_again_by_the_next_run(self, go, shelf):
        run = go()
        assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"
        make_wheel(shelf, "spam", "1.0")
        assert go().wait_for_completion()["status"] == "Completed"

    def test_says_nothing_of_another_workspace(self, workspace, own_cache, shelf, spec, tmp_path):
        order = prepare(spec(), workspace.directory).order.to_dict()
        first, second, other = (
            Waiting(str(tmp_path), {**order, "data": data}, {}) for data in (order["data"], order["data"], "/other")
        )
        assert first.key == second.key != other.key

    def test_by_a_python_that_is_gone(self, own_cache):
        process = BuilderProcess(own_cache, "0" * 32)
        with pytest.raises(EnvironmentBuildException, match="'/nosuch/python'") as error:
            process.start({}, "/nosuch/python", {})
        assert "submit again" in error.value.hint
        process.close()

    @pytest.mark.slow
    def test_a_damaged_lock_is_told(self, go, shelf, workspace):
        make_wheel(shelf, "spam", "1.0")
        go().wait_for_completion()
        folder = locks.folder(workspace.directory.path)
        path = os.path.join(folder, os.listdir(folder)[0])
        for text in ("{", "[]", '{"lock": {"format": 99}}', '{"lock": {"format": 1, "packages": 3}}'):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            with pytest.raises(UserErrorException, match="lock"):
                go()

    def test_on_another_machine_is_refused(self, workspace, own_cache, spec):
        targets.write(workspace.directory.path, "box", {"kind": "ssh", "host": "box.invalid"})
        with pytest.raises(ComputeTargetException, match="'box'"):
            submit(replace(spec(), target="box"), workspace.directory)

    def test_a_python_that_is_not_here(self, workspace, own_cache, spec):
        with pytest.raises(EnvironmentBuildException) as error:
            submit(spec("spam", python="3.99"), workspace.directory)
        assert "3.99" in error.value.message
        assert "there are: " in error.value.hint


@pytest.mark.slow
class TestLock:
    def test_stays_until_it_is_upgraded(self, go, shelf, workspace):
        make_wheel(shelf, "spam", "1.0")
        first = go()
        first.wait_for_completion()
        make_wheel(shelf, "spam", "2.0")
        same = go()
        same.wait_for_completion()
        assert same.get_metrics() == {"version": 1.0}
        asked = EnvironmentSpec(pip=("spam",))
        lock = environments.lock(asked, workspace.directory.path, lambda _: None, upgrade=True)
        assert (lock.versions(), lock.generation) == ({"spam": "2.0"}, 1)
        newer = go()
        newer.wait_for_completion()
        assert newer.get_metrics() == {"version": 2.0}
        again = run_at(rerun(first.directory, workspace.directory))
        again.wait_for_completion()
        assert again.get_metrics() == {"version": 1.0}

    def test_makes_the_very_same_elsewhere(self, go, shelf, workspace, tmp_path, monkeypatch):
        make_wheel(shelf, "spam", "1.0")
        go().wait_for_completion()
        make_wheel(shelf, "spam", "2.0")
        monkeypatch.setenv("AMLNB_CACHE_DIR", str(tmp_path / "another machine"))
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "its uv"))
        found = environments.build(EnvironmentSpec(pip=("spam",)), workspace.directory.path, lambda _: None)
        assert found.lock.versions() == {"spam": "1.0"}

    def test_counts_for_what_would_be_the_same_run(self, go, shelf, workspace, spec):
        make_wheel(shelf, "spam", "1.0")
        run = go()
        run.wait_for_completion()
        same = completed_run(workspace.directory, prepare(spec(), workspace.directory).record)
        assert same is not None
        assert same.id == run.id
        make_wheel(shelf, "spam", "2.0")
        environments.lock(EnvironmentSpec(pip=("spam",)), workspace.directory.path, lambda _: None, upgrade=True)
        assert completed_run(workspace.directory, prepare(spec(), workspace.directory).record) is None


@pytest.mark.slow
class TestTold:
    def test_packages_that_differ_are_compared(self, go, shelf):
        for version in ("1.0", "2.0"):
            make_wheel(shelf, "spam", version, requires=["ham"])
        make_wheel(shelf, "ham", "1.0")
        runs = [go(f"spam=={version}") for version in ("1.0", "2.0")]
        for run in runs:
            run.wait_for_completion()
        told = [each.environment for each in compare(*runs).view.runs]
        assert [each["package spam"] for each in told] == ["1.0", "2.0"]
        assert not any("package ham" in each for each in told)
        assert all(each["environment"] == "--env" for each in told)

    def test_a_bundle_has_the_lock(self, go, shelf):
        make_wheel(shelf, "spam", "1.0")
        run = go()
        run.wait_for_completion()
        told = describe_environment(RunReader(run.directory))
        assert told["packages"] == {"spam": "1.0"}
        assert told["lock"]["packages"][0]["hashes"]


@pytest.mark.slow
class TestRoom:
    def test_what_is_in_use_is_not_removed(self, go, shelf, workspace, tmp_path, spec):
        make_wheel(shelf, "spam", "1.0")
        (tmp_path / "source" / "train.py").write_text(
            f"import os, time\nwhile not os.path.exists({str(tmp_path / 'end')!r}): time.sleep(0.02)"
        )
        run = go()
        until(lambda: run.get_status() == "Running")
        [built] = environments.built(workspace.directory.path)
        assert (built.in_use, built.names, built.lock.versions()) == (True, ("spam",), {"spam": "1.0"})
        assert built.bytes >= built.own_bytes > 0
        with pytest.raises(UserErrorException, match="in use"):
            environments.remove(built.key)
        assert environments.gc(days=0).in_use == (built.key,)
        (tmp_path / "end").touch()
        run.wait_for_completion()
        assert environments.gc(days=1).keys == ()
        until(lambda: not environments.built()[0].in_use)
        assert environments.gc(days=0).keys == (built.key,)
        assert not os.path.exists(built.prefix)
        assert go().wait_for_completion()["status"] == "Completed"

    def test_files_of_builds_that_vanish_meanwhile_are_none_of_its_errors(self, own_cache):
        folder = os.path.join(host.cache_dir(), prefixes.BUILDS)
        os.makedirs(folder)
        old, ended = time.time() - 1e6, threading.Event()

        def builds_come_and_go():
            while not ended.is_set():
                for number in range(40):
                    path = os.path.join(folder, f"{number}.log")
                    with open(path, "w"):
                        pass
                    with contextlib.suppress(FileNotFoundError):  # gc was faster
                        os.utime(path, (old, old))
                        os.unlink(path)

        threads = [threading.Thread(target=builds_come_and_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(300):
                environments.gc(days=1)
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def test_a_run_begins_while_somebody_looks(self, go, shelf, workspace):
        make_wheel(shelf, "spam", "1.0")
        go().wait_for_completion()
        [built] = environments.built()
        with prefixes.held(built.prefix):
            run = go()
            until(lambda: run.get_status() == "Starting")
            canceled = go()
            until(lambda: canceled.get_status() == "Starting")
            canceled.cancel()
            assert canceled.wait_for_completion()["status"] == "Canceled"
            assert run.get_status() == "Starting"
        assert run.wait_for_completion()["status"] == "Completed"

    def test_a_run_says_so_if_it_was_removed_in_the_last_moment(self, go, shelf, workspace):
        make_wheel(shelf, "spam", "1.0")
        go().wait_for_completion()
        [built] = environments.built()
        with prefixes.held(built.prefix):
            run = go()
            until(lambda: run.get_status() == "Starting")
            prefixes.clear(built.prefix)
        with pytest.raises(ActivityFailedException, match="was removed before the run could begin"):
            run.wait_for_completion()

    def test_a_run_whose_environment_was_removed_while_it_was_queued(
        self, go, shelf, spec, workspace, own_cache, tmp_path
    ):
        make_wheel(shelf, "spam", "1.0")
        with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
            file.write("1")
        command = f"while [ ! -e {tmp_path}/end ]; do sleep 0.02; done"
        first = submit(replace(spec(), script=None, command=command, environment=None), workspace.directory)
        until(lambda: run_at(first).get_status() == "Running")
        run = go()
        until(environments.built)
        until(lambda: run.get_status() == "Queued")
        environments.remove(environments.built()[0].key)
        (tmp_path / "end").touch()
        assert run.wait_for_completion()["status"] == "Completed"

    def test_what_killed_builds_left_goes_with_time(self, own_cache):
        old, new, lock = (os.path.join(own_cache, "builds", name) for name in ("old.log", "new.log", "old.lock"))
        half = os.path.join(own_cache, "environments", "0" * 32)
        os.makedirs(os.path.dirname(old))
        os.makedirs(half)
        for path in (old, new, lock, os.path.join(half, "half")):
            with open(path, "w", encoding="ascii") as file:
                file.write("text")
        for path in (old, lock, half):
            os.utime(path, (1, 1))
        assert environments.gc().keys == ()
        assert [os.path.exists(path) for path in (old, new, lock, half)] == [False, True, True, False]

    def test_an_unknown_one(self, own_cache):
        with pytest.raises(UserErrorException, match="no built environment"):
            environments.remove("0" * 32)


def test_the_ticket_keeps_the_secrets_to_itself(workspace, own_cache, shelf, spec, tmp_path):
    asked = replace(
        spec("spam").environment,
        pip_options=("--extra-index-url https://example.invalid/simple",),
        credentials={"example.invalid": "me:s3cr3t-word"},
    )
    directory = submit(replace(spec(), environment=asked), workspace.directory)
    with open(os.path.join(directory, layout.RUN_JSON), encoding="utf-8") as file:
        assert "s3cr3t-word" not in file.read()
    run_at(directory).cancel()
    run_at(directory).wait_for_completion()
    assert not queue.holds(run_at(directory).id)
    assert host.cache_dir() == own_cache
