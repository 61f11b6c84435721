"""The stream over a real WebSocket, of real runs."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from tornado.websocket import websocket_connect

from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.server.served import Served
from amlnb.server.stream_session import MOST_SUBSCRIPTIONS
from amlnb.store.known_workspaces import key_of
from amlnb.testing.store_contract import record
from amlnb.tracking.create import create_run
from tests.server.stream_page import Followed, Page, come_true, leave, page_at, serving

pytestmark = pytest.mark.slow

# Logs a point for every line that it reads.
SCRIPT = """
import os, sys
from amlnb import Experiment, Workspace
run = Experiment(Workspace.find_or_create(os.getcwd())[0], "killed").start_logging(snapshot_directory=None)
print(run.id, flush=True)
for step, line in enumerate(sys.stdin):
    run.log("loss", float(line), step=step)
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


@pytest.fixture
def key(workspace, tmp_path):
    return key_of(str(tmp_path / ".amlnb"))


@pytest.fixture
def served(workspace, tmp_path):
    return Served(str(tmp_path))


@pytest.fixture
def run(workspace):
    return start(workspace)


def start(workspace, experiment="stream"):
    return Experiment(workspace, experiment).start_logging(snapshot_directory=None)


def log(run, values, begin=0):
    for step, value in enumerate(values, start=begin):
        run.log("loss", float(value), step=step)


def test_points_of_a_running_run_come_as_they_are_logged(run, key, served):
    log(run, [1])

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(7, key, run.id)
            await page.until(lambda: found.values("loss") == [1])
            assert (found.state, found.names) == ("Running", ["loss"])
            for step in range(1, 50):
                run.log("loss", step, step=step)
                run.log("accuracy", 1 / step)
            await page.until(lambda: len(found.values("loss")) == 50 and len(found.values("accuracy")) == 49)
            assert found.columns["loss"][0].tolist() == list(range(50))
            assert found.columns["accuracy"][0].tolist() == list(range(49))
            run.complete()
            await page.until(lambda: found.state == "Completed")
            assert (found.resets, found.gone, page.problems) == (0, None, [])
            assert found.documents[-1]["metrics"]["loss"] == {"count": 50, "last": 49, "min": 1, "max": 49}

    asyncio.run(story())


def test_what_changes_beside_the_points_is_told(run, key, served):
    served.table(key).look()  # else the run's number is told later

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, run.id)
            await page.until(lambda: found.documents)
            log(run, range(100))
            await page.until(lambda: len(found.values("loss")) == 100)
            documents = len(found.documents)
            run.tag("colour", "red")
            await page.until(lambda: found.documents[-1]["tags"] == {"colour": "red"})
            assert len(found.documents) == documents + 1, "points alone are no news of the run"
            run.display_name = "a name"
            await page.until(lambda: found.documents[-1]["name"] == "a name")
            write_log(run, b"hello\n")
            await page.until(lambda: found.log == ("user_logs/std_log.txt", 6))
            run.log("nan", float("nan"))
            run.fail("it broke")
            await page.until(lambda: found.state == "Failed")
            assert found.documents[-1]["error"] == "it broke"
            assert found.documents[-1]["metrics"]["nan"]["last"] == "NaN"

    asyncio.run(story())


def write_log(run, text):
    folder = os.path.join(run.directory, "user_logs")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "std_log.txt"), "ab") as file:
        file.write(text)


def test_the_number_of_a_run_is_told_when_it_is_known(workspace, key, served):
    start(workspace)
    second = start(workspace)

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, second.id)
            await page.until(lambda: found.documents and found.documents[-1]["number"] == 2)

    asyncio.run(story())


def test_a_run_that_waits_for_a_slot_says_so_and_how_many_stand_before_it(workspace, key, served, tmp_path, own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    end = tmp_path / "end"
    source = tmp_path / "source"
    source.mkdir()
    (source / "wait.py").write_text(f"import os, time\nwhile not os.path.exists({str(end)!r}):\n    time.sleep(0.05)\n")
    config = ScriptRunConfig(str(source), "wait.py")
    runs = [Experiment(workspace, "e").submit(config) for _ in range(3)]

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, runs[-1].id)
            told = "waits for a free slot; 1 run stands before it"
            await page.until(lambda: found.documents and found.documents[-1]["reason"] == told)
            end.touch()
            await page.until(lambda: found.state == "Completed")
            assert found.documents[-1]["reason"] is None

    asyncio.run(story())


def test_a_server_that_is_started_again_sends_nothing_twice(run, key, served, tmp_path):
    log(run, range(100))

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            first = await page.subscribe(1, key, run.id)
            await page.until(lambda: len(first.values("loss")) == 100)
        log(run, range(100, 130), 100)
        run.log("new", 1.0)
        async with serving(Served(str(tmp_path))) as (_, port), page_at(port) as page:
            found = await page.subscribe(2, key, run.id, have={"loss": 100, "unknown": 5})
            found.totals["loss"] = 100
            await page.until(lambda: len(found.values("loss")) == 30 and found.values("new") == [1.0])
            assert found.values("loss") == list(range(100, 130))
            again = await page.subscribe(3, key, run.id, have={"loss": 131})
            await page.until(lambda: len(again.values("loss")) == 130)

    asyncio.run(story())


def test_a_page_that_is_loaded_again_finds_all_that_came_meanwhile(run, key, served):
    log(run, range(100))

    async def story():
        async with serving(served, kept_s=60.0) as (hub, port):
            async with page_at(port) as page:
                first = await page.subscribe(1, key, run.id)
                await page.until(lambda: len(first.values("loss")) == 100)
                topic = hub.runs.get((key, run.id))
            await come_true(lambda: not hub.followed)
            log(run, range(100, 130), 100)
            async with page_at(port) as page:
                found = await page.subscribe(1, key, run.id, have={"loss": 110})
                found.totals["loss"] = 110
                await page.until(lambda: found.values("loss") == list(range(110, 130)))
                assert hub.runs.get((key, run.id)) is topic

    asyncio.run(story())


def test_a_long_curve_is_sent_in_fewer_points_and_goes_on_as_it_is(run, key, served):
    log(run, range(3000))

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, run.id, points=100)
            await page.until(lambda: found.totals.get("loss") == 3000)
            assert found.sampled["loss"]
            assert len(found.values("loss")) <= 100
            held = len(found.values("loss"))
            log(run, range(3000, 3010), 3000)
            await page.until(lambda: found.totals["loss"] == 3010)
            assert found.values("loss")[held:] == list(range(3000, 3010))
            log(run, range(3010, 4000), 3010)
            await page.until(lambda: found.totals["loss"] == 4000)
            assert len(found.values("loss")) <= 200
            assert (found.values("loss")[0], found.values("loss")[-1]) == (0, 3999)

    asyncio.run(story())


def test_a_run_that_is_killed_is_told_as_failed(workspace, key, served):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, await asyncio.to_thread(lambda: process.stdout.readline().strip()))
            for number in range(20):
                process.stdin.write(f"{number}\n")
            process.stdin.flush()
            await page.until(lambda: len(found.values("loss")) == 20)
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            await page.until(lambda: found.state == "Failed")
            assert found.documents[-1]["failure"]["code"] == "RunnerLost"
            assert found.values("loss") == list(range(20))
            (directory,) = list(os.scandir(os.path.join(workspace.directory.path, "runs")))
            await come_true(lambda: os.path.exists(os.path.join(directory.path, "final.json")))

    with process:
        try:
            asyncio.run(story())
        finally:
            process.kill()


def test_a_file_that_is_replaced_makes_all_of_it_anew(workspace, run, key, served):
    log(run, range(30))
    other = start(workspace, "other")
    log(other, [-1, -2, -3])

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, run.id)
            await page.until(lambda: len(found.values("loss")) == 30)
            swap(other, run)
            await page.until(lambda: found.resets and found.values("loss") == [-1, -2, -3])
            assert found.state == "Running"

    asyncio.run(story())


def swap(new, old):
    """Put one run's records in the place of another's, as a restored copy does."""
    (source,), (target,) = (
        [name for name in os.listdir(f"{each.directory}/journals") if name.endswith(".metrics")] for each in (new, old)
    )
    shutil.copy(f"{new.directory}/journals/{source}", f"{old.directory}/copy")
    os.replace(f"{old.directory}/copy", f"{old.directory}/journals/{target}")


def test_a_run_that_is_deleted_is_gone(run, key, served):
    log(run, [1])
    run.complete()

    async def story():
        async with serving(served) as (hub, port), page_at(port) as page:
            found = await page.subscribe(1, key, run.id)
            await page.until(lambda: found.values("loss") == [1])
            shutil.rmtree(run.directory)
            await asyncio.to_thread(hub.touch, key, run.id)
            await page.until(lambda: found.gone)
            assert found.gone["message"].endswith("is gone")
            again = await page.subscribe(1, key, run.id)
            await page.until(lambda: again.gone)
            assert f"there is no run {run.id!r}" in again.gone["message"]
            nowhere = await page.subscribe(2, "no-such-key", run.id)
            await page.until(lambda: nowhere.gone)
            assert "there is no workspace 'no-such-key'" in nowhere.gone["message"]
            assert not hub.followed

    asyncio.run(story())


def test_what_cannot_be_taken_is_answered_and_the_connection_stays(run, key, served):
    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            await page.send("what?")
            await page.send(b"\x00")
            await page.send({"op": "unsubscribe", "sub": 99})
            found = await page.subscribe(5, key, run.id)
            await page.until(lambda: found.documents)
            await page.send({"op": "watch", "sub": 5, "workspace": key})
            await page.until(lambda: len(page.problems) == 3)
            assert [each["sub"] for each in page.problems] == [None, None, None]
            assert "'sub' 5 is in use" in page.problems[2]["message"]
            log(run, [1])
            await page.until(lambda: found.values("loss") == [1])
            for sub in range(1000, 1000 + MOST_SUBSCRIPTIONS):
                await page.watch(sub, key)
            last = page.followed[999 + MOST_SUBSCRIPTIONS]
            await page.until(lambda: last.errors)
            assert "follows 500 things already" in last.errors[0]["message"]

    asyncio.run(story())


def test_which_runs_of_a_workspace_change_is_told(workspace, key, served):
    start(workspace, "before").complete()

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.watch(1, key)
            await page.until(lambda: found.runs)
            assert found.runs[0] == {"t": "runs", "sub": 1, "changed": [], "removed": [], "running": 0}
            run = start(workspace)
            await page.until(lambda: found.runs[-1]["running"] == 1)
            (row,) = found.runs[-1]["changed"]
            assert (row["id"], row["state"], row["number"]) == (run.id, "Running", 1)
            log(run, [3])
            await page.until(lambda: "loss" in found.runs[-1]["changed"][0]["metrics"])
            run.complete()
            await page.until(lambda: found.runs[-1]["running"] == 0)
            assert found.runs[-1]["changed"][0]["state"] == "Completed"
            shutil.rmtree(run.directory)
            await page.until(lambda: found.runs[-1]["removed"] == [run.id])

    asyncio.run(story())


def test_very_many_changes_come_in_parts(workspace, key, served):
    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.watch(1, key)
            await page.until(lambda: found.runs)
            for number in range(450):
                create_run(workspace.directory.runs, record(f"r{number}", created=float(number)))
            await page.until(lambda: len({row["id"] for told in found.runs for row in told["changed"]}) == 450)
            assert max(len(told["changed"]) for told in found.runs) <= 200

    asyncio.run(story())


def test_fifty_pages_share_what_they_follow(run, key, served):
    log(run, range(10))

    async def story():
        async with serving(served) as (hub, port):
            pages = [page_at(port) for _ in range(50)]
            entered = [await page.__aenter__() for page in pages]
            found = [await page.subscribe(1, key, run.id) for page in entered]
            for step in range(10, 60):
                log(run, [step], step)
                await asyncio.sleep(0)
            for page, followed in zip(entered, found, strict=True):
                await page.until(lambda followed=followed: followed.values("loss") == list(range(60)))
            topic = hub.runs.get((key, run.id))
            assert len(topic.listeners) == 50
            await entered[0].send({"op": "unsubscribe", "sub": 1})
            for page in pages[1:]:
                await page.__aexit__(None, None, None)
            await come_true(lambda: not hub.followed)
            assert topic.listeners == []
            again = await entered[0].subscribe(1, key, run.id)
            await entered[0].until(lambda: again.values("loss") == list(range(60)))
            await pages[0].__aexit__(None, None, None)

    asyncio.run(story())


def test_a_page_that_does_not_read_holds_up_nothing(run, key, served):
    names = [f"m{number}" for number in range(10)]

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(1, key, run.id, points=200_000)
            deaf = await websocket_connect(f"ws://127.0.0.1:{port}/stream")  # takes no more than it is asked for
            request = {"op": "subscribe", "sub": 1, "workspace": key, "run": run.id, "points": 200_000}
            await deaf.write_message(json.dumps(request))
            for total in range(2000, 20_001, 2000):
                await asyncio.to_thread(log_many, run, names, 2000)
                await page.until(lambda total=total: found.totals.get("m9") == total)
            late = Page(deaf)
            heard = late.followed[1] = Followed()
            await late.until(lambda: [heard.totals.get(name) for name in names] == [20_000] * 10)
            for name in names:
                assert heard.values(name) == found.values(name)
            await leave(late)

    asyncio.run(story())


def log_many(run, names, count):
    for number in range(count):
        for name in names:
            run.log(name, float(number))


def test_what_was_read_of_an_ended_run_is_not_read_again(run, key, served):
    async def story():
        async with serving(served) as (hub, port), page_at(port) as page:
            log(run, [1])
            found = await page.subscribe(1, key, run.id)
            await page.until(lambda: found.values("loss") == [1])
            assert hub.reader(key, run.id) is None
            run.complete()
            await come_true(lambda: hub.reader(key, run.id) is not None)
            assert hub.reader(key, run.id).metric_names() == ["loss"]

    asyncio.run(story())


def test_nothing_is_done_while_nothing_is_followed(run, key, served):
    async def story():
        async with serving(served) as (hub, port), page_at(port) as page:
            assert not hub.followed
            assert hub.curves(key, run.id) is None
            log(run, [1])
            found = await page.subscribe(1, key, run.id)
            await page.until(lambda: found.values("loss") == [1])
            assert hub.curves(key, run.id).told[0].points.value.tolist() == [1]
            await page.watch(2, key)
            await page.send({"op": "unsubscribe", "sub": 1})
            await page.send({"op": "unsubscribe", "sub": 2})
            await come_true(lambda: not (hub.followed or hub.runs.working or hub.watches.working))

    asyncio.run(story())
