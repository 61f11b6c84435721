"""Import every module named on the command line, and tell what came along that is neither ours nor Python's."""

from __future__ import annotations

import importlib
import sys

before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
for name in sorted(set(sys.modules) - before):
    path = getattr(sys.modules[name], "__file__", None) or ""
    if "site-packages" in path:
        print(name)
