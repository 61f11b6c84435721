"""``python -m benchmarks [NAME ...]``: measure, and print one table; ends with an error if a bar is missed."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
import traceback

from benchmarks.rows import Row, table

ALL = (
    *("tracking", "imports", "reading", "index", "snapshot", "submit", "capture"),
    *("short_runs", "environments", "watching", "live", "tables", "stream", "front_end", "peer_pages"),
)


def main(names):
    """Measure the named benchmarks (all by default); the exit code tells whether every bar is met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rows = []
    with tempfile.TemporaryDirectory(prefix="amlnb-bench-") as home:
        # A courier of its own: the person's runs are neither measured nor disturbed.
        os.environ["AMLNB_CACHE_DIR"] = os.path.join(home, "cache")
        os.environ["AMLNB_COURIER_IDLE_S"] = "3"
        for name in names or ALL:
            started = time.monotonic()
            try:
                rows += [Row(*row) for row in importlib.import_module(f"benchmarks.bench_{name}").measure()]
            except Exception:
                traceback.print_exc()
                rows.append(Row(f"{name}: could not be measured", "see above", "", False))
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
        time.sleep(4)  # the courier ends by itself before its folder goes
    print(table(rows))
    return 0 if all(row.ok is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
