"""The hub: what the pages of a server follow, each of it read once however many pages there are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from amlnb.server.hub_poller import KEPT_S, Poller
from amlnb.server.hub_run import RunTopic
from amlnb.server.hub_watch import WatchTopic

if TYPE_CHECKING:
    from amlnb.live.curves import Curves
    from amlnb.server.served import Served
    from amlnb.store.run_reader import RunReader


class Hub:
    """Shared tails of runs and watches of workspaces, for any number of pages. It does nothing while there are none.

    Parameters
    ----------
    served
        What the server serves.
    kept_s
        How long what nobody follows any more is kept for who may come back.

    Attributes
    ----------
    runs
        By key of the workspace and id of the run.
    watches
        By key of the workspace. A thread of their own: a look at ten thousand runs holds up no curve.
    """

    def __init__(self, served: Served, kept_s: float = KEPT_S) -> None:
        self.runs: Poller[RunTopic] = Poller("amlnb-runs", partial(RunTopic, served), kept_s)
        self.watches: Poller[WatchTopic] = Poller("amlnb-watches", partial(WatchTopic, served), kept_s)

    def touch(self, workspace: str, run: str) -> None:
        """Look at a run at once: it was just changed from here."""
        self.runs.touch((workspace, run))
        self.watches.touch((workspace,))

    @property
    def followed(self) -> bool:
        """Whether any page follows anything."""
        return bool(self.runs or self.watches)

    def curves(self, workspace: str, run: str) -> Curves | None:
        """The series of a run that some page follows; None of others."""
        topic = self.runs.get((workspace, run))
        return None if topic is None else topic.feed.curves

    def reader(self, workspace: str, run: str) -> RunReader | None:
        """All that was read of an ended run that some page follows; None of others."""
        topic = self.runs.get((workspace, run))
        return topic.feed.reader if topic is not None and topic.feed.sealed else None

    def close(self) -> None:
        """End the threads."""
        self.runs.close()
        self.watches.close()
