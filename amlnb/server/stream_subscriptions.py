"""What a page follows, and how much of it the page has."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from amlnb.live.deltas import Cursor, delta, resumed, sampled_points
from amlnb.server.encoding import encoded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from amlnb.live.feed import RunFeed
    from amlnb.live.series_frames import SeriesFrame
    from amlnb.server.contract import LogFile
    from amlnb.server.hub import Hub
    from amlnb.server.hub_run import RunTopic
    from amlnb.server.hub_topic import Topic
    from amlnb.server.hub_watch import WatchTopic
    from amlnb.server.stream_requests import Subscribe, Watch

# To choose among more points than these takes a thread of its own.
_POINTS_AT_ONCE = 100_000
_ROWS_AT_ONCE = 200


class Subscription(ABC):
    """One subscription of one page.

    Attributes
    ----------
    sub
        The page's number for it.
    """

    def __init__(self, sub: int) -> None:
        self.sub = sub
        self._sent = -1

    @property
    @abstractmethod
    def topic(self) -> Topic | None:
        """What is followed, once it was opened."""

    @abstractmethod
    def follow(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Open what is followed; to be called in a worker thread.

        Raises
        ------
        AmlnbError
            It is not there, or cannot be read.
        """

    @abstractmethod
    def leave(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Follow it no more; done once, however often it is called."""

    @abstractmethod
    def texts(self) -> Iterable[str]:
        """Messages that stand before the frames."""

    @abstractmethod
    def frames(self) -> AsyncGenerator[SeriesFrame]:
        """Points that the page lacks."""

    def begin(self) -> bool:
        """Note what is there now as sent; False if that was so before."""
        version = -1 if self.topic is None else self.topic.version
        before, self._sent = self._sent, version
        return version != before

    def text(self, message: dict[str, object]) -> str:
        """Write a message of this subscription."""
        return json.dumps({**message, "sub": self.sub})


class RunSubscription(Subscription):
    """A run that a page follows."""

    def __init__(self, request: Subscribe) -> None:
        super().__init__(request.sub)
        self._key = (request.workspace, request.run)
        self._points = request.points
        self._have = request.have
        self._topic: RunTopic | None = None
        self._feed: RunFeed | None = None
        self._cursors: list[Cursor] = []
        self._document = ""
        self._log: LogFile | None = None

    @property
    def topic(self) -> RunTopic | None:
        """The run."""
        return self._topic

    def follow(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Read the run."""
        self._topic = hub.runs.follow(self._key, listener)

    def leave(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Let the run go."""
        topic, self._topic = self._topic, None
        if topic is not None:
            hub.runs.leave(topic, listener)

    def texts(self) -> list[str]:
        """The document, the log's size and the names of the metrics, as far as they are new."""
        topic = self._topic
        if topic is None:
            return []
        found = []
        feed, document, log = topic.feed, topic.document, topic.log
        if self._feed is not feed:
            if self._feed is not None:
                found.append(self.text({"t": "reset"}))
                self._have, self._cursors, self._document = {}, [], ""
            self._feed = feed
        if document != self._document:
            found.append(f'{{"t": "run", "sub": {self.sub}, "run": {document}}}')
            self._document = document
        if log != self._log:
            if self._log is not None:  # else it stands in the document
                found.append(self.text({"t": "log", **log}))
            self._log = log
        new = feed.curves.told[len(self._cursors) :]
        if new:
            self._cursors += [resumed(curve, self._have.get(curve.name, 0), self._points) for curve in new]
            names = [curve.name for curve in feed.curves.told[: len(self._cursors)]]
            found.append(self.text({"t": "metrics", "names": names}))
        return found

    async def frames(self) -> AsyncGenerator[SeriesFrame]:
        """Points of the metrics whose names the page was told."""
        if self._feed is None:
            return
        for number, (curve, cursor) in enumerate(zip(self._feed.curves.told, self._cursors, strict=False)):
            if sampled_points(curve, cursor, self._points) > _POINTS_AT_ONCE:
                frame = await asyncio.to_thread(delta, curve, cursor, self._points, self.sub, number)
            else:
                frame = delta(curve, cursor, self._points, self.sub, number)
            if frame is not None:
                yield frame


class WatchSubscription(Subscription):
    """A workspace whose runs a page follows."""

    def __init__(self, request: Watch) -> None:
        super().__init__(request.sub)
        self._key = (request.workspace,)
        self._topic: WatchTopic | None = None
        self._version: int | None = None

    @property
    def topic(self) -> WatchTopic | None:
        """The runs of the workspace."""
        return self._topic

    def follow(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Read the table of the runs."""
        self._topic = hub.watches.follow(self._key, listener)

    def leave(self, hub: Hub, listener: Callable[[], None]) -> None:
        """Let the workspace go."""
        topic, self._topic = self._topic, None
        if topic is not None:
            hub.watches.leave(topic, listener)

    def texts(self) -> Iterator[str]:
        """Rows that have changed; none the first time. They are made as they are sent: there may be thousands."""
        if self._topic is None:
            return
        now = self._topic.now
        changed, removed = now.since(now.version if self._version is None else self._version)
        self._version = now.version
        message: dict[str, object] = {"t": "runs", "sub": self.sub, "running": now.running, "removed": removed}
        for at in range(0, max(1, len(changed)), _ROWS_AT_ONCE):
            rows = now.rows(changed[at : at + _ROWS_AT_ONCE])
            yield encoded({**message, "changed": rows}).decode("ascii")
            message["removed"] = []

    async def frames(self) -> AsyncGenerator[SeriesFrame]:
        """A workspace has no points."""
        nothing: tuple[SeriesFrame, ...] = ()
        for frame in nothing:
            yield frame
