"""The front end in a real Chromium: a very long run, a table of very many runs, live runs; and how large it is."""

from __future__ import annotations

import gzip
import json
import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import numpy as np

from benchmarks import chromium, page_data
from benchmarks.rows import Row, percentile, project
from tests.browser.jupyterlab import KERNEL_IDLE, TOKEN, lab_server

LONG = 10_000_000
LONG_ROUNDS = 5
TABLE_ROUNDS = 5
MANY = 10_000
METRICS = 20
LIVE = 50
RATE_HZ = 10
WATCH_S = 10.0
BUSY_S = 15
RUN_MIME = "application/vnd.amlnb.run+json"
# The kernel submits a run that logs twenty times a second, and is then busy in pure Python.
CELLS = (
    "%load_ext amlnb",
    """%%submit --experiment live
import time, amlnb
for step in range(600):
    amlnb.log(loss=1 / (1 + step), step=step)
    time.sleep(0.05)
""",
    f"""import time
end = time.monotonic() + {BUSY_S}
while time.monotonic() < end:
    sum(range(1000))
""",
)
BARS = {
    "painted_ms": 60,
    "painted_95_ms": 150,
    "open_ms": 1000,
    "zoom_ms": 100,
    "heap_mb": 50,
    "rows_ms": 500,
    "frame_ms": 50,
    "cores": 1.0,
    "built_kb": 400,
}
ROOT = Path(__file__).parents[1]
HAS_ROWS = "() => bench.since(() => document.querySelector('[data-amlnb-row]'))"
HAS_CHART = """([points]) => bench.since(() =>
    bench.paints.some(paint => paint.points === points && paint.since > bench.input))"""
IS_DETAILED = """() => bench.since(() =>
    bench.paints.some(paint => paint.detailed && paint.since > bench.input))"""
IS_SORTED = """([first]) => bench.since(() => {
    const row = document.querySelector('[data-amlnb-row]');
    return row && row.dataset.amlnbRow !== first;
})"""


def measure():
    """Return rows (what, value, bar, ok)."""
    rows = [_built()]
    reason = chromium.missing()
    if reason is not None:
        return [*rows, Row("pages in a browser", f"skipped: {reason}", "", None)]
    with chromium.chromium() as browser:
        for part in (_busy, _long, _many, _compared, _shown):
            with project() as workspace:
                rows += part(browser, workspace)
    return rows


def _built():
    folders = (ROOT / "build/labextension", ROOT / "amlnb/server/static")
    sizes = [
        sum(len(gzip.compress(path.read_bytes())) for path in folder.rglob("*") if path.is_file()) / 1000
        for folder in folders
    ]
    value = f"{sum(sizes):.0f} kB (JupyterLab's {sizes[0]:.0f} kB, the page's {sizes[1]:.0f} kB)"
    return _row("the front end as it is built, gzipped", value, sum(sizes), "built_kb", "kB")


def _busy(browser, workspace):
    """Points of a run below its cell, from the log to the picture, while the kernel computes."""
    with _notebook(browser, [nbformat.v4.new_code_cell(source) for source in CELLS]) as page:
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        page.wait_for_function("() => bench.paints.length > 20")
        page.wait_for_timeout(BUSY_S * 1000 - 5000)
        is_idle = page.evaluate(KERNEL_IDLE)
        paints = page.evaluate("() => bench.paints")
    (run,) = workspace.experiments["live"].get_runs()
    run.cancel()
    if is_idle:
        raise RuntimeError("the kernel was not busy all the time")
    delays = _delays(np.fromfile(page_data.points_file(run), page_data.RECORD)["time"], paints)
    what = "logged point to painted frame in JupyterLab, kernel busy"
    return [
        _row(
            f"{what}, p50 of {len(delays)}",
            f"{percentile(delays, 50):.0f} ms",
            percentile(delays, 50),
            "painted_ms",
            "ms",
        ),
        _row(f"{what}, p95", f"{percentile(delays, 95):.0f} ms", percentile(delays, 95), "painted_95_ms", "ms"),
    ]


def _delays(logged, paints):
    """Milliseconds from each log to the first picture that has the point, once the view stands."""
    delays = []
    settled = paints[0]["at"] + 2000
    painted = iter(paints)
    paint = next(painted)
    for count, at in enumerate(logged * 1e3, start=1):
        while paint["points"] < count:
            paint = next(painted, None)
            if paint is None:
                return delays
        if at > settled:
            delays.append(paint["at"] - at)
    return delays


@contextmanager
def _notebook(browser, cells):
    """A notebook in JupyterLab, in the working directory, whose kernel waits."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), "bench.ipynb")
    with (
        TemporaryDirectory(prefix="amlnb-bench-lab-", ignore_cleanup_errors=True) as home,
        lab_server(Path(home), folder=Path.cwd()) as (url, _),
        chromium.page_at(browser, f"{url}/lab/tree/bench.ipynb?token={TOKEN}&reset") as page,
    ):
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget")
        page.wait_for_function(KERNEL_IDLE)
        yield page


def _long(browser, workspace):
    """A run of ten million points, each time another one: opened from the table, and zoomed."""
    first = page_data.write_long_run(workspace, LONG)
    now = time.time()
    ids = [f"long_{number}" for number in range(LONG_ROUNDS)]
    for number, run in enumerate(ids, start=1):
        page_data.copy_run(first, run, now + number, link=True)
    opened, zoomed, held = [], [], []
    for run in ids:  # each time by a server that has read nothing of it
        with page_data.studio(os.getcwd()) as url, chromium.page_at(browser, url) as page:
            page.locator("[data-amlnb-row]").first.wait_for()
            before = chromium.heap_bytes(page)
            page.locator(f"[data-amlnb-row={run}] .amlnb-link").click()
            opened.append(page.evaluate(HAS_CHART, [LONG]))
            page.locator(".amlnb-plot").focus()
            for _ in range(4):
                page.keyboard.press("+")
                zoomed.append(page.evaluate(IS_DETAILED))
            held.append((chromium.heap_bytes(page) - before) / 1e6)
    what = f"a run of {LONG:,} points"
    return [
        _milliseconds(f"{what}: from the click to its chart", opened, "open_ms"),
        _milliseconds(f"{what}: from a key to the zoomed part in all its detail", zoomed, "zoom_ms"),
        _row(f"{what}: memory of its page", f"{max(held):.1f} MB", max(held), "heap_mb", "MB"),
    ]


def _many(browser, workspace):
    """The table of ten thousand runs with all their metrics: come to, loaded, scrolled and sorted."""
    from amlnb.store.known_workspaces import key_of

    page_data.write_many_runs(workspace, MANY, METRICS)
    columns = ["created", *(f"metrics.metric{number:02}" for number in range(METRICS))]
    layout = json.dumps({"columns": columns, "sort": "created", "descending": True})
    name = f"amlnb:/amlnb/api/:table:{key_of(workspace.directory.path)}:"
    remember = f"localStorage.setItem({json.dumps(name)}, {json.dumps(layout)})"
    with page_data.studio(os.getcwd()) as url:
        unread_ms = _first_page(browser, url)
    with page_data.studio(os.getcwd()) as url:
        cold_ms = _first_page(browser, url)
        shown, sorted_ms, scrolling, sorting = [], [], [], []
        for _ in range(TABLE_ROUNDS):
            with chromium.page_at(browser, url, setup=remember) as page:
                page.locator("[data-amlnb-row] .amlnb-link").first.click()
                page.locator("[data-amlnb-run]").wait_for()
                page.locator(".amlnb-page-head a").click()
                shown.append(page.evaluate(HAS_ROWS))
                page.locator(".amlnb-grid").hover()
                scrolling.append(chromium.frames(page, lambda page=page: chromium.scroll(page)))
                page.locator(".amlnb-grid").evaluate("grid => { grid.scrollTop = 0; }")
                sorting.append(chromium.frames(page, lambda page=page: sorted_ms.extend(_sort_often(page))))
    what = f"table of {MANY:,} runs x {METRICS} metrics"
    return [
        _milliseconds(f"{what}: from the click to its rows", shown, "rows_ms"),
        Row(f"{what}: the first page of a new server", f"{cold_ms:.0f} ms", "", None),
        Row(f"{what}: the same, with the index to be built", f"{unread_ms:.0f} ms", "", None),
        _frames(f"{what}: frames while it is scrolled", *scrolling),
        _frames(f"{what}: frames while it is sorted (rows after {statistics.median(sorted_ms):.0f} ms)", *sorting),
    ]


def _first_page(browser, url):
    """Milliseconds from the address to the first row."""
    begun = time.monotonic()
    with chromium.page_at(browser, url) as page:
        page.locator("[data-amlnb-row]").first.wait_for()
        return (time.monotonic() - begun) * 1e3


def _sort_often(page):
    """Milliseconds from each of some clicks on the head of a column to the rows in its order."""
    return [_sort(page, f"metric{number:02}") for number in range(7)]


def _sort(page, column):
    first = page.locator("[data-amlnb-row]").first.get_attribute("data-amlnb-row")
    page.locator(f".amlnb-grid-sort[title='Sort by {column}']").click()
    return page.evaluate(IS_SORTED, [first])


def _compared(browser, workspace):
    """Fifty live runs over each other."""
    from amlnb.store.known_workspaces import key_of

    key = key_of(workspace.directory.path)
    with (
        page_data.live_runs(LIVE, RATE_HZ) as runs,
        page_data.studio(os.getcwd()) as url,
        chromium.page_at(browser, url) as page,
    ):
        page.locator("[data-amlnb-row]").first.wait_for()
        compared = "&".join(f"run={run}" for run in runs)
        page.goto(f"{url.partition('/w/')[0]}/w/{key}/compare?{compared}")
        page.locator("[data-amlnb-metric] canvas").first.wait_for()
        page.wait_for_timeout(3000)
        frames, cores = chromium.watched(page, WATCH_S)
    what = f"{LIVE} live runs at {RATE_HZ} Hz each, compared"
    return _live_rows(what, frames, cores)


def _live_rows(what, frames, cores):
    return [
        _frames(f"{what}: frames", frames),
        _row(f"{what}: the page's processes", f"{cores:.2f} cores", cores, "cores", "core"),
    ]


def _shown(browser, workspace):
    """Fifty live runs below each other in a notebook."""
    del workspace
    with page_data.live_runs(LIVE, RATE_HZ) as runs:
        bundles = [{RUN_MIME: {"format": 1, "id": run, "state": "Running"}, "text/plain": run} for run in runs]
        outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
        cells = [nbformat.v4.new_code_cell("run", outputs=[output]) for output in outputs]
        with _notebook(browser, cells) as page:
            page.wait_for_function(f"() => document.querySelectorAll('[data-amlnb-run]').length === {LIVE}")
            page.locator("[data-amlnb-metric] canvas").first.wait_for()
            page.wait_for_timeout(3000)
            frames, cores = chromium.watched(page, WATCH_S)
    what = f"{LIVE} live runs at {RATE_HZ} Hz each, below each other in JupyterLab"
    return _live_rows(what, frames, cores)


def _milliseconds(what, values, bar):
    median = statistics.median(values)
    return _row(what, f"{median:.0f} ms ({min(values):.0f} to {max(values):.0f})", median, bar, "ms")


def _frames(what, *rounds):
    worst = [percentile(frames, 99) for frames in rounds]
    every = [frame for frames in rounds for frame in frames]
    spread = f" of {len(rounds)} rounds, {min(worst):.0f} to {max(worst):.0f}" if len(rounds) > 1 else ""
    value = (
        f"p99 {statistics.median(worst):.0f} ms{spread} "
        f"(median {percentile(every, 50):.0f} ms, longest {max(every):.0f} ms, {len(every)} frames)"
    )
    return _row(what, value, statistics.median(worst), "frame_ms", "ms")


def _row(what, value, measured, bar, unit):
    return Row(what, value, f"{BARS[bar]:g} {unit}", measured <= BARS[bar])
