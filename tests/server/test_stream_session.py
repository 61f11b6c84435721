"""One page's stream without a connection: what it makes, and when."""

import asyncio
import json

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.live.series_frames import decode_frames
from amlnb.server.hub import Hub
from amlnb.server.stream_session import StreamSession
from tests.server.conftest import wait_until
from tests.server.stream_page import Followed, come_true

pytestmark = pytest.mark.slow


@pytest.fixture
def start(project):
    """Starts a run that is logged to."""
    experiment = Experiment(Workspace.find_or_create(str(project))[0], "stream")
    return lambda: experiment.start_logging(snapshot_directory=None)


@pytest.fixture
def run(start):
    return start()


def log(run, values, begin=0):
    for step, value in enumerate(values, start=begin):
        run.log("loss", float(value), step=step)


class Line:
    """A connection that takes a message only when the test says so."""

    def __init__(self):
        self.sent = []
        self.taken = None
        self.hung_up = False

    def send(self, message):
        assert self.taken is None or self.taken.done(), "a message was sent before the one before was taken"
        self.sent.append(message)
        self.taken = asyncio.get_running_loop().create_future()
        return self.taken

    def hang_up(self):
        self.hung_up = True

    async def take(self):
        """Take the message that waits; wait for one."""
        await come_true(lambda: self.taken is not None and not self.taken.done())
        self.taken.set_result(None)
        return self.sent[-1]


def test_nothing_is_made_before_the_page_has_taken_what_was_sent(run, key, served):
    log(run, range(50))
    served.table(key).look()  # else the run's number is told later

    async def story():
        hub, line = Hub(served), Line()
        session = StreamSession(hub, line.send, line.hang_up)
        session.receive(json.dumps({"op": "subscribe", "sub": 1, "workspace": key, "run": run.id, "points": 100}))
        assert json.loads(await line.take())["t"] == "run"
        assert json.loads(await line.take())["t"] == "metrics"
        (frame,) = decode_frames(await line.take())
        assert (frame.total, len(frame.value)) == (50, 50)
        log(run, range(50, 60), 50)
        await come_true(lambda: len(line.sent) == 4)
        topic = hub.runs.get((key, run.id))
        log(run, range(60, 5000), 60)
        await come_true(lambda: len(topic.feed.curves.told[0].points.value) == 5000)
        assert len(line.sent) == 4
        (small,) = decode_frames(await line.take())
        (large,) = decode_frames(await line.take())
        assert (small.first, large.total, large.replaces, large.sampled) == (50, 5000, True, True)
        assert len(large.value) <= 100
        session.close()
        assert not hub.followed
        await asyncio.to_thread(hub.close)
        assert not line.hung_up

    asyncio.run(story())


def test_nothing_of_what_a_page_has_left_comes_under_a_number_that_it_uses_again(start, run, key, served):
    log(run, range(50))
    other = start()
    log(other, [-1, -2])

    async def story():
        hub, line, heard = Hub(served), Line(), Followed()
        session = StreamSession(hub, line.send, line.hang_up)
        request = {"op": "subscribe", "sub": 1, "workspace": key, "run": run.id, "points": 100}
        session.receive(json.dumps(request))
        await come_true(lambda: len(line.sent) == 1)
        session.receive('{"op": "unsubscribe", "sub": 1}')
        session.receive(json.dumps({**request, "run": other.id}))
        await line.take()
        while not heard.values("loss"):
            message = await line.take()
            if isinstance(message, str):
                heard.text(json.loads(message))
            else:
                for frame in decode_frames(message):
                    heard.frame(frame)
        assert heard.values("loss") == [-1, -2]
        assert {document["id"] for document in heard.documents} == {other.id}
        session.close()
        await asyncio.to_thread(hub.close)

    asyncio.run(story())


def test_a_connection_that_breaks_ends_the_stream_quietly(run, key, served, caplog):
    async def story():
        hub, line = Hub(served), Line()
        session = StreamSession(hub, line.send, line.hang_up)
        session.receive(json.dumps({"op": "watch", "sub": 1, "workspace": key}))
        await come_true(lambda: line.sent)
        line.taken.set_exception(ConnectionResetError("gone"))
        await come_true(session._sending.done)
        session.close()
        await asyncio.to_thread(hub.close)
        assert not line.hung_up
        assert caplog.text == ""

    asyncio.run(story())


def test_what_a_page_leaves_while_it_is_opened_takes_nothing_else_along(run, key, served):
    async def story():
        hub, line = Hub(served), Line()
        session = StreamSession(hub, line.send, line.hang_up)
        request = {"op": "subscribe", "sub": 1, "workspace": key, "run": run.id, "points": 100}
        session.receive(json.dumps(request))
        await line.take()
        session.receive(json.dumps({**request, "sub": 2}))
        await asyncio.sleep(0)
        wait_until(lambda: session._subscriptions[2].topic is not None)  # it is open, and this loop does not know yet
        session.receive('{"op": "unsubscribe", "sub": 2}')
        await asyncio.gather(*session._opening)
        assert len(hub.runs.get((key, run.id)).listeners) == 1
        log(run, [1])
        while not isinstance(await line.take(), bytes):
            pass
        session.close()
        await asyncio.to_thread(hub.close)

    asyncio.run(story())


def test_a_stream_that_ends_leaves_nothing_for_the_loop_to_clear_up(run, key, served):
    log(run, range(50))
    made = []

    def note(loop, coroutine, **more):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **more)

    async def story():
        hub, line = Hub(served), Line()
        session = StreamSession(hub, line.send, line.hang_up)
        request = {"op": "subscribe", "sub": 1, "workspace": key, "run": run.id, "points": 100}
        session.receive(json.dumps(request))
        await line.take()
        await come_true(lambda: not line.taken.done())
        asyncio.get_running_loop().set_task_factory(note)
        session.close()
        await asyncio.wait({session._sending})
        for _ in range(5):
            await asyncio.sleep(0)
        assert made == []
        await asyncio.to_thread(hub.close)

    asyncio.run(story())


def test_a_page_that_asks_on_and_on_and_reads_nothing_is_hung_up_on(key, served):
    async def story():
        hub, line = Hub(served), Line()
        session = StreamSession(hub, line.send, line.hang_up)
        for sub in range(1, 10_000):
            session.receive(json.dumps({"op": "watch", "sub": sub, "workspace": key}))
            session.receive(json.dumps({"op": "unsubscribe", "sub": sub}))
            if line.hung_up:
                break
        assert 500 < sub < 5000
        assert len(session._opening) < 5000
        session.close()
        await asyncio.to_thread(hub.close)

    asyncio.run(story())
