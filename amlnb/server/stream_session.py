"""One page's stream: nothing of Jupyter, nothing of tornado."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from amlnb.live.series_frames import encode_frames
from amlnb.server.faults import fault
from amlnb.server.stream_requests import BadRequest, Unsubscribe, Watch, parse
from amlnb.server.stream_subscriptions import RunSubscription, Subscription, WatchSubscription

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from amlnb.live.series_frames import SeriesFrame
    from amlnb.server.hub import Hub

_log = logging.getLogger(__name__)

MOST_SUBSCRIPTIONS = 500
_MOST_ANSWERS = 100
# A page that asks on and on and reads no answer is left alone; one that reads owes nothing for long.
_MOST_OWED = 2000
# A message of frames grows to about this many bytes; then it is sent before the next is made.
_MESSAGE_BYTES = 1 << 20


class StreamSession:
    """The stream of one page, in one event loop.

    Nothing is made before the page has taken what was sent: one that is slow gets fewer and larger messages, and of
    long curves downsampled ones, and costs no memory here.

    Parameters
    ----------
    hub
        What the pages of this server follow.
    send
        Sends a message, text or binary. What it returns is awaited before the next is made: it is done once the
        connection has taken the message, and raises ConnectionError if that is closed.
    hang_up
        Closes the connection; called if the stream ends by a mistake of ours, or by a page that only asks.
    """

    def __init__(self, hub: Hub, send: Callable[[str | bytes], Awaitable[object]], hang_up: Callable[[], None]) -> None:
        self._hub = hub
        self._send = send
        self._hang_up = hang_up
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[int, Subscription] = {}
        self._answers: list[str] = []
        self._woken = asyncio.Event()
        self._opening: set[asyncio.Task[None]] = set()
        self._sending = self._loop.create_task(self._send_on())

    def receive(self, text: str | bytes) -> None:
        """Take a request; one that cannot be taken is answered with an ``error``."""
        if len(self._opening) + len(self._answers) >= _MOST_OWED:
            self._hang_up()
            return
        try:
            request = parse(text)
            if isinstance(request, Unsubscribe):
                self._end(request.sub)
                return
            self._check_room(request.sub)
        except BadRequest as error:
            if len(self._answers) < _MOST_ANSWERS:
                told = {"t": "error", "sub": error.sub, "message": error.message, "hint": error.hint}
                self._answer(json.dumps(told))
            return
        made = WatchSubscription(request) if isinstance(request, Watch) else RunSubscription(request)
        self._subscriptions[made.sub] = made
        task = self._loop.create_task(self._open(made))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def close(self) -> None:
        """End all of it; the connection is gone."""
        self._sending.cancel()
        for sub in list(self._subscriptions):
            self._end(sub)

    def _check_room(self, sub: int) -> None:
        if sub in self._subscriptions:
            # Not told as an error of that subscription: it goes on.
            raise BadRequest(f"'sub' {sub} is in use", hint="end it first, or choose another number")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise BadRequest(
                f"this page follows {MOST_SUBSCRIPTIONS} things already", hint="end what is out of sight", sub=sub
            )

    def _answer(self, text: str) -> None:
        self._answers.append(text)
        self._woken.set()

    async def _open(self, subscription: Subscription) -> None:
        """Read what is followed for the first time; the page may have lost interest when that is done."""
        try:
            await asyncio.to_thread(subscription.follow, self._hub, self._wake)
        except Exception as error:  # noqa: BLE001 - the boundary: what cannot be read is told to the page
            self._tell_gone(subscription, error)
            return
        if self._follows(subscription):
            self._woken.set()
        else:
            subscription.leave(self._hub, self._wake)

    def _end(self, sub: int) -> None:
        subscription = self._subscriptions.pop(sub, None)
        if subscription is not None:
            subscription.leave(self._hub, self._wake)

    def _tell_gone(self, subscription: Subscription, error: Exception) -> None:
        if self._follows(subscription):
            self._end(subscription.sub)
            self._answer(subscription.text({"t": "gone", **fault(error)[1]}))

    def _wake(self) -> None:
        """Be told by the hub, in a thread of its own, that there is something new."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._woken.set)

    async def _send_on(self) -> None:
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                async with aclosing(self._messages()) as messages:
                    async for message in messages:
                        begun = time.thread_time()
                        sent = self._send(message)
                        self._spend(begun)
                        await sent
        except ConnectionError:
            pass  # who brings the requests notices it too, and closes
        except Exception:  # noqa: BLE001 - the boundary: nobody awaits this task
            _log.exception("the stream of a page ends")
            self._hang_up()

    async def _messages(self) -> AsyncGenerator[str | bytes]:
        """What the page lacks, made as it is taken."""
        while self._answers:
            yield self._answers.pop(0)
        batch: list[tuple[Subscription, SeriesFrame]] = []
        size = 0
        for subscription in list(self._subscriptions.values()):
            if not self._is_new(subscription):
                continue
            begun = time.thread_time()
            for text in subscription.texts():
                self._spend(begun)
                if self._follows(subscription):
                    yield text
                begun = time.thread_time()
            async with aclosing(subscription.frames()) as frames:
                async for frame in frames:
                    batch.append((subscription, frame))
                    size += frame.size
                    if size >= _MESSAGE_BYTES:
                        message = self._packed(batch)
                        self._spend(begun)
                        yield message
                        batch, size, begun = [], 0, time.thread_time()
            self._spend(begun)
        if batch:
            yield self._packed(batch)

    def _packed(self, batch: list[tuple[Subscription, SeriesFrame]]) -> bytes:
        """One message of many frames, without those of what the page has left meanwhile."""
        return encode_frames(frame for subscription, frame in batch if self._follows(subscription))

    def _follows(self, subscription: Subscription) -> bool:
        return self._subscriptions.get(subscription.sub) is subscription

    def _spend(self, begun: float) -> None:
        self._hub.runs.spend(time.thread_time() - begun)

    def _is_new(self, subscription: Subscription) -> bool:
        """Whether there may be something to send; a subscription that has ended meanwhile is taken away."""
        if not self._follows(subscription) or not subscription.begin():
            return False
        topic = subscription.topic
        if topic is not None and topic.gone is not None:
            self._tell_gone(subscription, topic.gone)
            return False
        return True
