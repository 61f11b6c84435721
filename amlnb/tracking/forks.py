"""Modules that are loaded at first use, in a process that may fork at that moment.

A child that is forked while another thread imports a module would wait for that module's lock for ever: nobody in the
child holds it. So a fork waits for imports that are made under ``importing``.
"""

from __future__ import annotations

import os
from _thread import RLock

importing = RLock()
# The forking thread holds it on both sides.
os.register_at_fork(before=importing.acquire, after_in_parent=importing.release, after_in_child=importing.release)
