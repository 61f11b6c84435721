"""From a logged point to the refreshed output of its run, while the kernel is busy; and what refreshing costs."""

from __future__ import annotations

import json
import os
import re
import time

from benchmarks.rows import percentile, project

BUSY_S = 12.0
POINTS = 200
BAR_MS = 500.0
CELL = f"""%%submit --experiment bench
import time, amlnb
times = []
for i in range({POINTS}):
    amlnb.log(loss=1 / (i + 1), step=i)
    times.append(time.time())
    time.sleep(0.05)
import json
json.dump(times, open("outputs/times.json", "w"))
"""
BUSY = f"""import time
end = time.time() + {BUSY_S}
while time.time() < end:
    sum(range(1000))
"""


def measure():
    """Return rows (what, value, bar, ok)."""
    from jupyter_client.manager import start_new_kernel

    with project() as workspace:
        manager, client = start_new_kernel(kernel_name="python3", cwd=os.getcwd())
        try:
            client.execute_interactive("%load_ext amlnb", timeout=60)
            seen = _watch(client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
        run = next(workspace.experiments["bench"].get_runs())
        run.wait_for_completion()
        with open(f"{run.directory}/work/outputs/times.json", encoding="ascii") as file:
            logged = json.load(file)
    delays_ms = []
    for number, when in enumerate(logged, start=1):
        shown = [at for at, count in seen if count >= number]
        if shown and when < logged[0] + BUSY_S - 2:  # while the kernel was busy
            delays_ms.append((min(shown) - when) * 1e3)
    if len(delays_ms) < POINTS // 2:
        raise RuntimeError(f"only {len(delays_ms)} of {POINTS} points were seen in the output")
    p95 = percentile(delays_ms, 95)
    return [
        (
            "logged point to refreshed output of one run, kernel busy, p95",
            f"{p95:.0f} ms (median {percentile(delays_ms, 50):.0f} ms)",
            f"{BAR_MS:.0f} ms",
            p95 <= BAR_MS,
        )
    ]


def _watch(client):
    """Submit, keep the kernel busy, and return ``(time of arrival, points shown)`` of every refreshed table."""
    seen = []

    def note(message):
        if message["msg_type"] in ("display_data", "update_display_data"):
            html = message["content"]["data"].get("text/html", "")
            cells = re.search(r">loss<.*?</tr>", html, flags=re.DOTALL)
            numbers = re.findall(r">(\d+)<", cells.group(0)) if cells else []
            if numbers:
                seen.append((time.time(), int(numbers[-1])))

    client.execute_interactive(CELL, allow_stdin=True, output_hook=note, timeout=120, stdin_hook=lambda _: None)
    client.execute_interactive(BUSY, allow_stdin=True, output_hook=note, timeout=120, stdin_hook=lambda _: None)
    return seen
