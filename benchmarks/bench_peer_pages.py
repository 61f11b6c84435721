"""The work of bench_front_end in the pages of MLflow and trackio: their own servers, the same Chromium and measures."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress

import psutil

from benchmarks import chromium, page_data
from benchmarks.rows import Row, percentile
from tests.browser.jupyterlab import free_port

LONG = 1_000_000
METRICS = [f"metric{number:02}" for number in range(20)]
LIVE = 50
RATE_HZ = 10
LOG_HZ = 20
TABLE_ROUNDS = 3
HAS = "([selector]) => bench.since(() => document.querySelector(selector), 60000)"
HAS_PICTURE = """([answers]) => bench.since(() =>
    bench.pictures.some(picture => picture.since > bench.input && picture.answers > answers), 60000)"""
LAST_STEP = "() => bench.pictures.at(-1).step"
HAS_ZOOMED = """() => {
    let zoomed = 0;
    return bench.since(() => {
        zoomed ||= document.querySelector('.reset-zoom-btn') && performance.now();
        return zoomed && bench.pictures.some(picture => picture.since > zoomed);
    }, 60000);
}"""
FIRST_ROW = "() => document.querySelector('[row-index=\"0\"]').getAttribute('row-id')"
IS_SORTED = """([first]) => bench.since(() =>
    (document.querySelector('[row-index="0"]')?.getAttribute('row-id') ?? first) !== first)"""


class PeerFailedError(Exception):
    """A tracker did not do what is measured."""


def measure():
    """Return rows (what, value, bar, ok)."""
    reason = chromium.missing()
    rows = []
    for peer in (Mlflow(), Trackio()):
        lacks = reason or (None if importlib.util.find_spec(peer.module) else f"{peer.module} is not installed")
        rows += _measured(peer) if lacks is None else [_skipped(f"the pages of {peer.name}", lacks)]
    return rows


def _measured(peer):
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="amlnb-bench-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        try:
            with peer.serving():
                return [row for part in peer.parts() for row in _within(peer, *part)]
        except PeerFailedError as error:
            return [_skipped(f"the pages of {peer.name}", error)]
        finally:
            os.chdir(before)


def _within(peer, what, limit_s, part):
    """Rows of a part, and one that tells why there are no more if it fails or takes longer than it may."""
    from playwright.sync_api import Error as BrowserError

    rows = []
    watchdog = threading.Timer(limit_s, peer.give_up)
    with chromium.chromium() as browser:
        watchdog.start()
        try:
            for more, value in part(browser):
                rows.append(Row(f"{what}{more}", value, "", None))
        except (BrowserError, PeerFailedError, sqlite3.Error) as error:
            if any(kind in str(error) for kind in ("ReferenceError", "SyntaxError", "TypeError")):
                raise
            late = not watchdog.is_alive()
            rows.append(_skipped(what, f"not within {limit_s} s" if late else str(error).splitlines()[0]))
        finally:
            watchdog.cancel()
    return rows


def _skipped(what, reason):
    return Row(what, f"skipped: {reason}", "", None)


class Peer:
    """A tracker whose pages are measured in the working directory: its server, and parts that yield (what, value)."""

    name: str
    module: str
    health: str

    def __init__(self):
        self.url = ""
        self._server = []
        self._groups = []

    def command(self, port):
        """Arguments of python that start its server on a port of loopback."""
        raise NotImplementedError

    def parts(self):
        """What is measured, seconds that it may take at most, and the function that measures it in a browser."""
        raise NotImplementedError

    @contextmanager
    def started(self, *arguments, **options):
        """A python in a group of processes of its own, which ends with it."""
        with page_data.peer_python(*arguments, **options) as process:
            self._groups.append(process.pid)
            try:
                yield process
            finally:
                self._groups.remove(process.pid)

    @contextmanager
    def serving(self):
        """Its server, once it answers."""
        port = free_port()
        with open("server.log", "wb") as log, self.started(*self.command(port), stdout=log, stderr=log) as server:
            self.url = f"http://127.0.0.1:{port}"
            _wait_until_up(f"{self.url}/{self.health}", server)
            self._server = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
            yield

    def give_up(self):
        """End what a part has started, so that it fails now."""
        for group in self._groups[1:]:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        chromium.end()

    def logged(self, client, seconds, patience_s, open_page):
        """How long it takes from each log of a run to the first picture that has the point."""
        arguments = ("-c", client + page_data.LOGGER, self.url, str(seconds * LOG_HZ), str(LOG_HZ))
        piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with self.started(*arguments, **piped) as logger, open_page(_told(logger, "run")) as page:
            page.wait_for_function("() => bench.pictures.length > 0")
            logger.stdin.write("\n")
            logger.stdin.flush()
            logged = json.loads(_told(logger, "logged"))
            begun = time.monotonic()
            while page.evaluate(LAST_STEP) < logged[-1][0] and time.monotonic() - begun < patience_s:
                page.wait_for_timeout(100)
            pictures = page.evaluate("() => bench.pictures")
        delays = _delays(logged, pictures)
        if not delays:
            raise PeerFailedError("no picture had a point that was logged")
        shown = f"({len(delays)} of {len(logged)} points, {len(pictures)} pictures)"
        yield ", p50", f"{percentile(delays, 50):,.0f} ms {shown}"
        yield ", p95", f"{percentile(delays, 95):,.0f} ms"

    def watched(self, page, seconds, note):
        """Frames of a page of live runs, and the cores that it and the server take."""
        frames, cores, server = chromium.watched(page, seconds, self._server)
        yield ": frames", _frames(frames)
        yield ": the page's processes", f"{cores:.2f} cores, its server {server:.2f} ({note})"


def _wait_until_up(url, server, patience_s=60):
    begun = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() - begun > patience_s:
                with open("server.log", encoding="utf-8", errors="replace") as log:
                    last = log.read().strip().rpartition("\n")[2]
                raise PeerFailedError(f"its server does not answer: {last}") from None
            time.sleep(0.1)


def _told(process, word):
    """What stands behind a word at the start of a line that a process writes."""
    for line in process.stdout:
        first, _, rest = line.strip().partition(" ")
        if first == word:
            return rest
    raise PeerFailedError(f"its client ended without its {word}")


def _delays(logged, pictures):
    painted = [next((shown["at"] for shown in pictures if shown["step"] >= step), None) for step, _ in logged]
    return [shown_ms - at * 1e3 for shown_ms, (_, at) in zip(painted, logged, strict=True) if shown_ms is not None]


def _milliseconds(values):
    return f"{statistics.median(values):,.0f} ms ({min(values):,.0f} to {max(values):,.0f})"


def _frames(frames):
    return (
        f"p99 {percentile(frames, 99):,.0f} ms "
        f"(median {percentile(frames, 50):.0f} ms, longest {max(frames):,.0f} ms, {len(frames)} frames)"
    )


class Mlflow(Peer):
    """MLflow's server on SQLite, with one worker."""

    name = "MLflow"
    module = "mlflow"
    health = "health"
    runs = 10_000
    database = "mlflow.db"

    def command(self, port):
        options = f"--backend-store-uri sqlite:///{self.database} --host 127.0.0.1 --port {port} --workers 1"
        return ("-m", "mlflow", "server", *options.split())

    def parts(self):
        return [
            (f"table of {self.runs:,} runs x {len(METRICS)} metrics in MLflow", 60, self.many),
            (f"a run of {LONG:,} points in MLflow", 90, self.long),
            ("logged point to painted frame in MLflow", 90, self.live),
            (f"{LIVE} live runs at {RATE_HZ} Hz each, compared, in MLflow", 75, self.compared),
        ]

    def run(self, name, metrics, state="FINISHED"):
        """Ids of an experiment and its one run, made by its own client."""
        arguments = ("-c", page_data.MLFLOW_RUN, self.url, name, state, *metrics)
        with self.started(*arguments, stdout=subprocess.PIPE) as client:
            return _told(client, "run").split()

    def page(self, browser, experiment, path, setup="", **state):
        """A page of an experiment in the view for training, without the assistant beside it."""
        name = f'MLflowLocalStorage-1.1-ExperimentPage-["{experiment}"]-ReactComponentState'
        store = {
            name: json.dumps(state),
            "mlflow.workflowType_v1": '"machine_learning"',
            "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
            "mlflow.assistant.panelOpen_v1": "false",
        }
        setup += "".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(store[key])});" for key in store)
        url = f"{self.url}/#/experiments/{experiment}/{path}"
        return chromium.page_at(browser, url, setup=setup)

    def many(self, browser):
        """The table of the first hundred of ten thousand runs."""
        experiment, run = self.run("many", METRICS)
        page_data.write_mlflow_runs(self.database, experiment, run, self.runs)
        columns = [f"metrics.`{metric}`" for metric in METRICS]
        with self.page(browser, experiment, "runs", selectedColumns=columns) as page:
            page.get_by_test_id(f"sort-header-{METRICS[0]}").wait_for()
            shown, sorted_ms, sorting = [], [], []
            for _ in range(TABLE_ROUNDS):
                page.locator(".ag-row a").first.click()
                page.get_by_text("About this run").wait_for()
                page.get_by_test_id("experiment-observatory-link-runs").click()
                shown.append(page.evaluate(HAS, [".ag-row a"]))
            rows = page.locator(".ag-center-cols-container .ag-row").count()
            yield ": from the click to its rows", f"{_milliseconds(shown)}, {rows} of them; more by a button"
            page.locator(".ag-body-viewport").hover()
            yield ": frames while it is scrolled", _frames(chromium.frames(page, lambda: chromium.scroll(page)))
            page.locator(".ag-body-viewport").evaluate("grid => { grid.scrollTop = 0; }")
            for metric in METRICS[:2]:
                sorting += chromium.frames(page, lambda metric=metric: sorted_ms.append(self.sort(page, metric)))
            what = f": frames while it is sorted (rows after {statistics.median(sorted_ms):,.0f} ms)"
            yield what, _frames(sorting)

    @staticmethod
    def sort(page, metric):
        """Milliseconds from the click on the head of a column to another first row."""
        first = page.evaluate(FIRST_ROW)
        page.get_by_test_id(f"sort-header-{metric}").click()
        return page.evaluate(IS_SORTED, [first])

    def long(self, browser):
        """A long run: opened, and zoomed."""
        experiment, run = self.run("long", ["loss"])
        page_data.write_mlflow_points(self.database, run, LONG)
        with self.page(browser, experiment, "runs", chromium.PICTURES) as page:
            page.locator(".ag-row a").first.wait_for()
            before = chromium.heap_bytes(page)
            page.locator(".ag-row a").first.click()
            page.get_by_text("About this run").wait_for()
            page.get_by_role("tab", name="Model metrics").click()
            shown = page.evaluate(HAS, [".js-line"])
            yield ": from the click to its chart", f"{shown:,.0f} ms (from the tab of its metrics)"
            zoomed = []
            for part in (0.2, 0.4, 0.6):  # each time from the whole: within a part it asks for no more
                answers = page.evaluate("() => bench.answers")
                chromium.drag(page, ".nsewdrag", part)
                zoomed.append(page.evaluate(HAS_PICTURE, [answers]))
                page.locator(".nsewdrag").first.dblclick()
                page.evaluate(HAS_PICTURE, [0])
            yield ": from a drag to the zoomed part", f"{_milliseconds(zoomed)}, 320 points of it"
            yield ": memory of its page", f"{(chromium.heap_bytes(page) - before) / 1e6:.1f} MB"

    def live(self, browser):
        """One run that logs."""

        def open_page(run):
            experiment, _, run = run.partition(" ")
            return self.page(browser, experiment, f"runs/{run}/model-metrics", chromium.PICTURES)

        # It asks for new points every 30 s: what is logged until it does so once more.
        return self.logged(page_data.MLFLOW_CLIENT, 30, 5, open_page)

    def compared(self, browser):
        """Fifty runs that go on, in one chart."""
        experiment, run = self.run("live", ["loss"], "RUNNING")
        page_data.write_mlflow_runs(self.database, experiment, run, LIVE)
        with page_data.live_rows(self.database, RATE_HZ, *page_data.MLFLOW_LIVE):
            time.sleep(1)  # a run of one point is a bar, and no line
            with self.page(browser, experiment, "runs?compareRunsMode=CHART", runsHiddenMode="SHOW_ALL") as page:
                page.wait_for_function(f"() => document.querySelectorAll('.js-line').length >= {LIVE}")
                page.wait_for_timeout(3000)
                yield from self.watched(page, 32, "it asks for new points every 30 s")


class Trackio(Peer):
    """trackio's dashboard."""

    name = "trackio"
    module = "trackio"
    health = "version"
    # Its table asks for each run by itself, and each answer reads all runs: ten thousand take many minutes.
    runs = 1_000

    def command(self, port):
        return ("-c", page_data.TRACKIO_SERVER, str(port))

    def parts(self):
        return [
            (f"table of {self.runs:,} runs x {len(METRICS)} metrics in trackio", 60, self.many),
            (f"a run of {LONG:,} points in trackio", 90, self.long),
            ("logged point to painted frame in trackio", 60, self.live),
            (f"{LIVE} live runs at {RATE_HZ} Hz each, compared, in trackio", 60, self.compared),
        ]

    def project(self, name, metrics):
        """Path of the database of a project of one run, made by its own client."""
        with self.started("-c", page_data.TRACKIO_RUN, name, *metrics, stdout=subprocess.DEVNULL) as client:
            if client.wait(60) != 0:
                raise PeerFailedError("its client does not log")
        return os.path.join("trackio", f"{name}.db")

    def page(self, browser, path, project, setup=""):
        return chromium.page_at(browser, f"{self.url}/{path}?project={project}", setup=setup)

    def many(self, browser):
        """Its table of runs, which has neither metrics nor an order to choose."""
        page_data.write_trackio_runs(self.project("many", METRICS), self.runs, METRICS)
        with self.page(browser, "settings", "many") as page:
            page.get_by_role("button", name="Runs").click()
            shown = page.evaluate(HAS, [".runs-table tbody tr"])
            rows = page.locator(".runs-table tbody tr").count()
            yield ": from the click to its rows", f"{shown:,.0f} ms, {rows:,} of them, without metrics"
            page.locator(".runs-table").hover(position={"x": 20, "y": 100})
            yield ": frames while it is scrolled", _frames(chromium.frames(page, lambda: chromium.scroll(page)))
            yield ": sorted", "skipped: its table of runs has no order to choose"

    def long(self, browser):
        """A long run: opened, and zoomed."""
        page_data.write_trackio_points(self.project("long", ["loss"]), "loss", LONG)
        with self.page(browser, "settings", "long", chromium.PICTURES) as page:
            page.get_by_role("button", name="Metrics", exact=True).wait_for()
            before = chromium.heap_bytes(page)
            page.get_by_role("button", name="Metrics", exact=True).click()
            yield ": from the click to its chart", f"{page.evaluate(HAS_PICTURE, [0]):,.0f} ms"
            chromium.drag(page, ".plot-container canvas", 0.4)
            yield ": from a drag to the zoomed part", f"{page.evaluate(HAS_ZOOMED):,.0f} ms, of 3,000 points at most"
            yield ": memory of its page", f"{(chromium.heap_bytes(page) - before) / 1e6:.1f} MB"

    def live(self, browser):
        """One run that logs; the page asks for all its points each second."""
        page = self.page(browser, "", "logged", chromium.PICTURES)
        return self.logged(page_data.TRACKIO_CLIENT, 15, 15, lambda _: page)

    def compared(self, browser):
        """Fifty runs that go on, in one chart."""
        path = self.project("live", ["loss"])
        page_data.write_trackio_runs(path, LIVE, ["loss"])
        with page_data.live_rows(path, RATE_HZ, page_data.TRACKIO_LIVE), self.page(browser, "", "live") as page:
            page.get_by_text(f"Runs ({LIVE})").wait_for()
            page.locator(".plot-container canvas").first.wait_for()
            page.wait_for_timeout(3000)
            yield from self.watched(page, 10, "it asks for all points each second")
