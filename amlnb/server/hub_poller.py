"""The thread that polls what pages follow; it lives while there is anything."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from amlnb.server.hub_topic import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

# At least so long between two looks; what is due soon after is looked at together.
_PAUSE_S = 0.01
# Of the time, this share at most goes into reading and sending: with very much going on each look brings more.
_BUSY_SHARE = 0.12
_LONGEST_PAUSE_S = 2.0
# Of topics that nobody follows any more so many are kept, unpolled: a page is loaded again, another tab is looked at.
_KEPT = 4
KEPT_S = 30.0

_Key = tuple[str, ...]
_Topic = TypeVar("_Topic", bound=Topic)


class Poller(Generic[_Topic]):
    """Topics of one kind, and the thread that polls them.

    Parameters
    ----------
    name
        Of the thread.
    make
        Makes a topic of the words that name it.
    kept_s
        How long what nobody follows any more is kept for who may come back.
    """

    def __init__(self, name: str, make: Callable[..., _Topic], kept_s: float = KEPT_S) -> None:
        self._name = name
        self._make = make
        self._kept_s = kept_s
        self._condition = threading.Condition()
        self._topics: dict[_Key, _Topic] = {}
        self._left: dict[_Key, float] = {}  # topics without listeners: until when they are kept
        self._thread: threading.Thread | None = None
        self._spent_s = 0.0

    def __bool__(self) -> bool:
        """Whether anything is followed."""
        return len(self._topics) > len(self._left)

    @property
    def working(self) -> bool:
        """Whether there is a thread that polls."""
        return self._thread is not None

    def follow(self, key: _Key, listener: Callable[[], None]) -> _Topic:
        """Add a listener to a topic, which is opened if nobody follows it yet.

        The listener is called in the poller's thread, after each look that found a change.

        Raises
        ------
        AmlnbError
            It cannot be opened.
        """
        with self._condition:
            topic = self._topics.get(key)
            if topic is None:
                topic = self._topics[key] = self._make(*key)
            returns = self._left.pop(key, None) is not None
            topic.listeners.append(listener)
        try:
            with topic.lock:
                if not topic.opened:
                    topic.open()
                    topic.opened = True
                elif returns:
                    topic.touch()
                    topic.poll(time.monotonic())
            if topic.gone is not None:
                raise topic.gone
        except BaseException:
            self.leave(topic, listener)
            raise
        with self._condition:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._condition.notify()
        return topic

    def leave(self, topic: _Topic, listener: Callable[[], None]) -> None:
        """Take a listener away; a topic without any is forgotten after a while."""
        with self._condition:
            if listener in topic.listeners:
                topic.listeners.remove(listener)
            if topic.listeners:
                return
            if topic.opened and topic.gone is None:
                key = next((key for key, known in self._topics.items() if known is topic), None)
                if key is not None:
                    self._left[key] = time.monotonic() + self._kept_s
            else:
                self._forget(topic)
            while len(self._left) > _KEPT:
                self._forget(self._topics[next(iter(self._left))])
            self._condition.notify()

    def get(self, key: _Key) -> _Topic | None:
        """A topic that is followed and was opened."""
        with self._condition:
            topic = self._topics.get(key)
        return topic if topic is not None and topic.opened and topic.listeners else None

    def touch(self, key: _Key) -> None:
        """Look at a topic at once, if it is followed."""
        topic = self.get(key)
        if topic is not None:
            with topic.lock:
                topic.touch()
            with self._condition:
                self._condition.notify()

    def spend(self, seconds: float) -> None:
        """Count processor time that went into sending what was found."""
        with self._condition:
            self._spent_s += seconds

    def close(self) -> None:
        """Forget all topics and wait for the end of the thread."""
        with self._condition:
            self._topics.clear()
            self._left.clear()
            self._condition.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _forget(self, topic: _Topic) -> None:
        for key, known in list(self._topics.items()):
            if known is topic:
                del self._topics[key]
                self._left.pop(key, None)

    def _clear_out(self) -> bool:
        """Forget what nobody came back for; whether anything is left."""
        now = time.monotonic()
        for key in [key for key, end in self._left.items() if end <= now]:
            self._forget(self._topics[key])
        return bool(self._topics)

    def _work(self) -> None:
        ended = time.monotonic()
        while (topics := self._next(ended)) is not None:
            begun, now = time.thread_time(), time.monotonic()
            told: dict[Callable[[], None], None] = {}
            for topic in topics:
                with topic.lock:
                    changed = topic.poll(now)
                with self._condition:
                    if changed:
                        told.update(dict.fromkeys(topic.listeners))
                    if topic.gone is not None:
                        self._forget(topic)
            for listener in told:
                listener()
            self.spend(time.thread_time() - begun)
            ended = time.monotonic()

    def _next(self, ended: float) -> list[_Topic] | None:
        """Wait for topics that are due; None once there is nothing to poll."""
        with self._condition:
            while self._clear_out():
                now = time.monotonic()
                opened = [topic for topic in self._topics.values() if topic.opened and topic.listeners]
                due = min([*(topic.due for topic in opened), *self._left.values()], default=now + _LONGEST_PAUSE_S)
                wait_s = max(due, ended + pause_s(self._spent_s)) - now
                if wait_s <= 0:
                    self._spent_s = 0.0
                    return [topic for topic in opened if topic.due <= now + _PAUSE_S]
                self._condition.wait(wait_s)
            self._thread = None
            return None


def pause_s(spent_s: float) -> float:
    """How long to leave runs alone after so much processor time went into the last look and what came of it."""
    return min(_LONGEST_PAUSE_S, max(_PAUSE_S, spent_s / _BUSY_SHARE))
