"""A real Chromium, and what its pages tell of their frames, paintings and memory."""

from __future__ import annotations

import contextlib
import time
from contextlib import contextmanager

import psutil

from tests.browser.jupyterlab import CHROMIUM

TIMEOUT_MS = 60_000
# No page reaches another machine, whatever fonts or news it asks for.
ARGUMENTS = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
SIZE = {"width": 1300, "height": 850}
# Before any script of the page. A message that is sent within a frame arrives when the frame has been painted.
MEASURES = """(() => {
    const afterPaint = work => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = work;
        port2.postMessage(0);
    };
    const bench = (window.bench = {
        paints: [], frames: [], input: 0, answered: 0, recording: false, afterPaint,
        /** Milliseconds from the last click or key to the frame that shows what is waited for. */
        since(ready, patience = 30000) {
            return new Promise((done, fail) => {
                const look = () => {
                    if (ready()) {
                        afterPaint(() => done(performance.now() - bench.input));
                    } else if (performance.now() - bench.input < patience) {
                        requestAnimationFrame(look);
                    } else {
                        fail(new Error(`never shown: ${ready}; last painted: ${JSON.stringify(bench.paints.at(-1))}`));
                    }
                };
                requestAnimationFrame(look);
            });
        },
        record() {
            bench.frames = [];
            bench.recording = true;
            let last = performance.now();
            const frame = () => {
                const now = performance.now();
                bench.frames.push(now - last);
                last = now;
                if (bench.recording) {
                    requestAnimationFrame(frame);
                }
            };
            requestAnimationFrame(frame);
        },
        stop() {
            bench.recording = false;
            return bench.frames;
        }
    });
    for (const type of ['pointerup', 'click', 'keydown']) {
        document.addEventListener(type, event => { bench.input = event.timeStamp; bench.answered = 0; }, true);
    }
    const { stroke } = CanvasRenderingContext2D.prototype;
    const painted = new Set();
    CanvasRenderingContext2D.prototype.stroke = function (...path) {
        stroke.apply(this, path);
        const chart = this.canvas.closest?.('[data-amlnb-metric]');
        if (chart && !painted.has(chart)) {
            painted.add(chart);
            const detailed = bench.answered > 0;
            afterPaint(() => {
                painted.delete(chart);
                const points = Number(chart.dataset.amlnbPoints);
                bench.paints.push({ points, at: Date.now(), since: performance.now(), detailed });
            });
        }
    };
    const { fetch } = window;
    window.fetch = async (...request) => {
        const answer = await fetch(...request);
        bench.answered += /\\/series\\?/.test(answer.url) ? 1 : 0;
        return answer;
    };
})();"""


# Before any script of another tracker's page: each new picture of a chart (plotly's lines, or vega's canvas), with the
# highest step and the number of all the answers that brought points until then.
PICTURES = """(() => {
    let step = -1, waits = false;
    Object.assign(bench, { pictures: [], answers: 0 });
    const painted = () => {
        if (!waits) {
            const shown = { step, answers: bench.answers };
            waits = true;
            bench.afterPaint(() => {
                waits = false;
                bench.pictures.push({ ...shown, at: Date.now(), since: performance.now() });
            });
        }
    };
    const { stroke } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.stroke = function (...path) {
        stroke.apply(this, path);
        if (this.canvas.closest?.('.plot-container')) {
            painted();
        }
    };
    const lines = { subtree: true, attributes: true, attributeFilter: ['d'] };
    new MutationObserver(changes => changes.some(change => change.target.matches('.js-line')) && painted())
        .observe(document, lines);
    const { fetch } = window;
    window.fetch = async (...request) => {
        const answer = await fetch(...request);
        if (/get_logs_batch|get-history-bulk-interval/.test(answer.url)) {
            for (const [, found] of (await answer.clone().text()).matchAll(/"step": *"?([0-9]+)/g)) {
                step = Math.max(step, Number(found));
            }
            bench.answers += 1;
        }
        return answer;
    };
})();"""


def missing():
    """Why no page can be measured; None if one can."""
    if CHROMIUM is None:
        return "no Chromium on this machine: apt-get install chromium"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed: pip install playwright"
    return None


@contextmanager
def chromium():
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_at(browser, url, *, setup="", size=None):
    """A page that is measured; `setup` is a script that runs in it before any other."""
    context = browser.new_context(viewport=size or SIZE, bypass_csp=True)
    context.add_init_script(MEASURES)
    if setup:
        context.add_init_script(setup)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


def frames(page, act):
    """Milliseconds between the frames of a page while something is done."""
    page.evaluate("() => bench.record()")
    act()
    return page.evaluate("() => bench.stop()")


def scroll(page):
    """Turn the wheel for some seconds, ever faster, then back."""
    for number in range(120):
        page.mouse.wheel(0, 20 * number if number < 100 else -2000)
        page.wait_for_timeout(25)


def drag(page, selector, part):
    """Drag over a fifth of a chart, from some part of it on."""
    box = page.locator(selector).first.bounding_box()
    left, middle = box["x"] + part * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 0.2 * box["width"], middle, steps=5)
    page.mouse.up()


def watched(page, seconds, *others):
    """Frames of a page that is only looked at, and the cores of its processes and of each other list of them."""
    processes = [page_processes(), *others]
    before, begun = [cpu_s(every) for every in processes], time.monotonic()
    found = frames(page, lambda: page.wait_for_timeout(seconds * 1e3))
    taken_s = time.monotonic() - begun
    return found, *((cpu_s(every) - first) / taken_s for every, first in zip(processes, before, strict=True))


def heap_bytes(page):
    """What the page's scripts hold, buffers included, when all garbage is gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    session.detach()
    return usage["usedSize"] + usage.get("backingStorageSize", 0) + usage.get("embedderHeapUsedSize", 0)


def page_processes():
    """The processes that compute and draw the pages of the one Chromium that this process has started."""
    kinds = ("--type=renderer", "--type=gpu-process")
    return [process for process, command in _commands() if any(kind in command for kind in kinds)]


def end():
    """End the Chromium that this process has started at once: what waits for a page of it fails."""
    for process, command in _commands():
        if "--remote-debugging-pipe" in command:
            process.kill()


def _commands():
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended: one of an earlier benchmark, say
            yield process, process.cmdline()


def cpu_s(processes):
    """Seconds that processes have computed."""
    return sum(sum(process.cpu_times()[:2]) for process in processes if process.is_running())
