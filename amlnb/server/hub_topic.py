"""What pages follow, whatever it is: polled by one thread, more often the more it changes, and read by any number."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from amlnb.errors import AmlnbError, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_RETRY_S = 2.0
_FAILING_S = 10.0


class Topic(ABC):
    """Something that changes. Its thread polls it; pages read it at any time.

    Attributes
    ----------
    lock
        Held while it is opened and polled.
    listeners
        Who is told of a change. Changed by the hub alone.
    opened
        It was read for the first time.
    due
        When to poll it next, in monotonic seconds.
    version
        Changes whenever there is anything that pages lack.
    gone
        Why there will be nothing any more; None while it lives.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.listeners: list[Callable[[], None]] = []
        self.opened = False
        self.due = 0.0
        self.version = 0
        self.gone: AmlnbError | None = None
        self._failing: float | None = None

    @abstractmethod
    def open(self) -> None:
        """Read it for the first time.

        Raises
        ------
        AmlnbError
            It is not there, or cannot be read.
        """

    @abstractmethod
    def read(self, now: float) -> bool:
        """Read what is new, set `due`, and change `version` if there is anything; True if so."""

    @abstractmethod
    def touch(self) -> None:
        """Let the next poll, which is at once, read all of it."""

    def poll(self, now: float) -> bool:
        """As :meth:`read`; what cannot be read is tried again for a while, and is then `gone`."""
        try:
            changed = self.read(now)
            self._failing = None
            return changed
        except AmlnbError as error:
            self.gone = error
        except Exception as error:  # noqa: BLE001 - the boundary: one run must not stop the others
            if self._failing is None:
                self._failing = now
            self.due = now + _RETRY_S
            if now - self._failing < _FAILING_S:
                return False
            _log.warning("a page's subscription ends", exc_info=True)
            self.gone = AmlnbError(f"it cannot be read: {text_of(error)}", hint="the server's log tells more")
        self.version += 1
        return True
