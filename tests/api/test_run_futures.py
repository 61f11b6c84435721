"""Runs as futures: real runs, some of which end in this process."""

import asyncio
import concurrent.futures
import os
import shutil
import threading
import time

import pytest

import amlnb
from amlnb import Experiment, RunFailedError, ScriptRunConfig, Workspace
from amlnb.api.run_futures import RESULTS_PROPERTY
from amlnb.api.run_watcher import Watched, _look, run_watcher
from amlnb.errors import ActivityFailedException, UserErrorException
from amlnb.specs.run_spec import RunSpec
from amlnb.staged import captured_values


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create()[0], "e")


@pytest.fixture
def start(experiment):
    """Start a run that lives here, and ends when it is told."""
    return lambda: experiment.start_logging(snapshot_directory=None)


@pytest.fixture
def submit(experiment, tmp_path):
    """Submit a script; `results` are what it was asked for."""

    def submitted(text, results=""):
        folder = tmp_path / f"source-{time.monotonic_ns()}"
        folder.mkdir()
        (folder / "cell.py").write_text(text)
        shutil.copyfile(captured_values.__file__, folder / "captured_values.py")
        return experiment.submit(
            RunSpec("e", str(folder), script="cell.py", properties={RESULTS_PROPERTY: results} if results else {})
        )

    return submitted


MODEL = """
import captured_values

class Model:
    rate = 0.1

captured_values.keep(model=Model(), losses=[0.5, 0.25])
"""


def test_a_result_is_a_dict_of_what_was_asked_for(submit):
    run = submit(MODEL, "losses,model")
    result = run.result(timeout=60)
    assert list(result) == ["losses", "model"]
    assert (result["losses"], result["model"].rate) == ([0.5, 0.25], 0.1)
    assert run.result()["model"] is result["model"]
    assert run.exception() is None
    assert run.done()


def test_a_run_that_returns_nothing_has_an_empty_result(submit):
    assert submit("print(1)").result(60) == {}


@pytest.mark.slow
def test_a_pickle_of_another_hosts_run_must_be_trusted(submit, own_cache):
    run = submit(MODEL, "losses,model")
    run.wait_for_completion()
    os.unlink(os.path.join(own_cache, "result-secret"))
    with pytest.raises(UserErrorException, match=r"(?s)not signed.*trust=True"):
        run.result()
    assert run.result(trust=True)["losses"] == [0.5, 0.25]


def test_a_result_that_was_not_kept_is_told(submit):
    with pytest.raises(UserErrorException, match=r"(?s)kept no loss.*sys\.exit"):
        submit("import sys; sys.exit(0)", "loss").result(60)


def test_a_failed_run_raises_its_own_message(submit):
    run = submit("raise ValueError('bad rate')")
    with pytest.raises(RunFailedError, match="bad rate") as raised:
        run.result(60)
    assert isinstance(raised.value, ActivityFailedException)
    assert raised.value.run_id == run.id
    assert str(run.exception()) == str(raised.value)


def test_a_canceled_run_raises_as_a_canceled_future_does(start):
    run = start()
    run.cancel()
    with pytest.raises(concurrent.futures.CancelledError, match="canceled"):
        run.result(5)
    with pytest.raises(concurrent.futures.CancelledError):
        run.exception(5)


def test_who_waits_too_long_is_told_that_the_run_goes_on(start):
    run = start()
    assert not run.done()
    with pytest.raises(TimeoutError, match="goes on"):
        run.result(timeout=0)
    assert run.get_status() == "Running"
    run.complete()


def test_callbacks_are_called_once_with_the_run_at_its_end(start, caplog):
    run, called, over = start(), [], threading.Event()
    run.add_done_callback(lambda _: 1 / 0)
    run.add_done_callback(lambda ended: (called.append(ended), over.set()))
    assert called == []
    run.complete()
    assert over.wait(30)
    assert called == [run]
    run.add_done_callback(called.append)
    assert called == [run, run]
    until(lambda: "ZeroDivisionError" in caplog.text)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_a_slow_callback_holds_up_nobody(start):
    slow, quick = start(), start()
    release, over = threading.Event(), threading.Event()
    slow.add_done_callback(lambda _: release.wait(60))
    quick.add_done_callback(lambda _: over.set())
    slow.complete()
    quick.complete()
    assert over.wait(30)
    release.set()


def test_a_wait_that_is_given_up_leaves_nothing(start):
    run = start()

    async def given_up():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(wrapped(run)), 0.01)

    async def wrapped(run):
        return await run

    asyncio.run(given_up())
    assert run_watcher()._watched == []
    run.complete()


class Faulty:
    """A follower of a run on a file system that is away at first."""

    def __init__(self, faults):
        self.faults, self.ended = faults, False

    def poll(self):
        if self.faults:
            raise self.faults.pop(0)
        self.ended = True


def test_a_fault_that_passes_is_no_end():
    told = []
    watched = Watched(Faulty([OSError(5, "away")] * 2), told.append)
    assert [_look(watched)[0] for _ in range(3)] == [False, False, True]
    assert watched.faulty_since is None


def test_a_run_that_is_gone_is_told_at_once():
    over, error = _look(Watched(Faulty([UserErrorException("there is no run")]), print))
    assert over
    assert "there is no run" in str(error)


def test_runs_are_awaited_together(start):
    runs = [start() for _ in range(5)]

    async def ended_by_and_by():
        for run in runs:
            await asyncio.sleep(0.01)
            run.complete()

    async def everything():
        ending = asyncio.create_task(ended_by_and_by())
        found = await asyncio.gather(*(wrapped(run) for run in runs))
        await ending
        return found

    async def wrapped(run):
        return await run

    assert asyncio.run(everything()) == [{}] * 5


def test_an_awaited_failure_raises(start):
    async def main(run):
        run.fail("bad")
        await run

    with pytest.raises(RunFailedError, match="bad"):
        asyncio.run(main(start()))


def test_waiting_for_several(start):
    runs = [start() for _ in range(3)]
    runs[1].complete()
    assert amlnb.wait(runs, timeout=0) == ({runs[1]}, {runs[0], runs[2]})
    assert amlnb.wait(runs, return_when="FIRST_COMPLETED").done == {runs[1]}
    runs[0].fail("bad")
    assert amlnb.wait(runs, return_when="FIRST_COMPLETED").done == {runs[0], runs[1]}
    found = amlnb.wait(runs, return_when=concurrent.futures.FIRST_EXCEPTION)
    assert runs[2] in found.not_done
    assert runs[0] in found.done
    runs[2].complete()
    assert amlnb.wait(iter(runs)) == (set(runs), set())
    assert amlnb.wait([]) == (set(), set())


def test_runs_come_as_they_complete(start):
    runs = [start() for _ in range(3)]
    found = amlnb.as_completed(runs, timeout=30)
    for number in (2, 0, 1):
        runs[number].complete()
        assert next(found) is runs[number]
    assert list(found) == []
    late = start()
    with pytest.raises(TimeoutError, match="1 of 2 runs"):
        list(amlnb.as_completed([runs[0], late], timeout=0.01))
    late.complete()


@pytest.mark.parametrize("wrong", ["run", ["an id"]])
def test_what_is_no_list_of_runs_is_refused(start, wrong):
    given = start() if wrong == "run" else wrong
    for function in (amlnb.wait, amlnb.as_completed):
        with pytest.raises(UserErrorException):
            function(given)
    with pytest.raises(UserErrorException, match="FIRST_COMPLETED"):
        amlnb.wait([], return_when="ALWAYS")


def test_the_same_key_for_a_run_and_another_for_each(own_cache):
    from amlnb.engine.result_keys import result_key

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: result_key("a"), range(32)))
    assert keys == {result_key("a")}
    assert result_key("b") not in keys
    assert os.stat(os.path.join(own_cache, "result-secret")).st_mode & 0o777 == 0o600
    assert sorted(name for name in os.listdir(own_cache) if name.startswith("result")) == ["result-secret"]


def test_the_key_is_nowhere_in_the_run_directory(submit):
    from amlnb.engine.result_keys import result_key

    run = submit(MODEL, "model")
    run.result(60)
    key = result_key(run.id).encode()
    for top, _, names in os.walk(run.directory):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                assert key not in file.read(), name


def test_a_script_config_gives_a_future_too(experiment, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import amlnb\namlnb.log(loss=1.0)\n")
    run = experiment.submit(ScriptRunConfig(str(tmp_path / "src"), script="train.py"))
    assert run.result(60) == {}


def test_an_error_of_ours_keeps_its_own_hint(submit):
    run = submit("from amlnb.errors import UserErrorException\nraise UserErrorException('bad rate', hint='give one')")
    error = run.exception(60)
    assert error.message.endswith("failed: UserErrorException: bad rate")
    assert error.hint == "give one"
