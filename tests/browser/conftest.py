"""A real JupyterLab and a real Chromium, driven as a person would."""

import contextlib
import os
import time
from pathlib import Path

import nbformat
import pytest

from .jupyterlab import CHROMIUM, KERNEL_IDLE, TOKEN, lab_server

TIMEOUT_MS = 60_000
AXE = Path(__file__).resolve().parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items):
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="no Chromium on this machine: apt-get install chromium")
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def bare_lab(tmp_path_factory):
    """A JupyterLab without our front end, as other hosts are; its address and its folder of notebooks."""
    with lab_server(tmp_path_factory.mktemp("bare-lab"), front_end=False) as found:
        yield found


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab as ``pip install amlnb`` leaves it; its address and its folder of notebooks."""
    with lab_server(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    """A Chromium without a window; while it is there an event loop runs, which tests of other folders must not find."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def keep(page, name):
    """Keep a picture of the page if `make pictures` asks for it."""
    folder = os.environ.get("TEST_PICTURES")
    if folder:
        page.screenshot(path=os.path.join(folder, f"{name}.png"))


def violations(page, selector=".amlnb-view"):
    """What axe finds hard to use for someone, within our own views."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("([selector]) => axe.run(selector, {resultTypes: ['violations']})", [selector])["violations"]
    return [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in found]


class NotebookPage:
    """A notebook that is open in JupyterLab."""

    def __init__(self, page, path):
        self.page = page
        self.path = path

    def run_cell(self, index, *, wait=True):
        """Run one cell; returns at once if it is not waited for."""
        self.page.evaluate(
            """([index]) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                const started = {ended: false};
                window.cellStarted = started;
                window.jupyterapp.commands.execute('notebook:run-cell').finally(() => { started.ended = true; });
            }""",
            [index],
        )
        if wait:
            self.wait_idle()

    def wait_idle(self):
        # The kernel's status changes to busy only after the request has reached it.
        self.page.wait_for_function("() => !window.cellStarted || window.cellStarted.ended", timeout=TIMEOUT_MS)
        self.page.wait_for_function(KERNEL_IDLE, timeout=TIMEOUT_MS)

    def outputs(self, index):
        """Outputs of a cell as nbformat has them."""
        return self.page.evaluate(
            "([index]) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()", [index]
        )

    def run_shown(self, index):
        """What the cell's picture says of its run; {} while there is none."""
        for output in self.outputs(index):
            if "application/vnd.amlnb.run+json" in output.get("data", {}):
                return output["data"]
        return {}

    def wait_state(self, index, state):
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while time.monotonic() < deadline:
            shown = self.run_shown(index)
            if shown and shown["application/vnd.amlnb.run+json"]["state"] == state:
                return shown
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the output never showed {state}: {self.outputs(index)}")

    def execute(self, command):
        """Start a command of JupyterLab."""
        self.page.evaluate("([command]) => { window.jupyterapp.commands.execute(command); }", [command])

    def save(self):
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")

    def set_source(self, index, source):
        self.page.evaluate(
            "([index, source]) => "
            "{ window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(source); }",
            [index, source],
        )

    def interrupt_kernel(self):
        self.page.evaluate("() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt(); }")

    def dismiss_dialogs(self):
        """Close what JupyterLab says of a kernel that died."""
        for button in self.page.locator(".jp-Dialog button.jp-mod-accept").all():
            button.click()

    def restart_kernel(self):
        self.page.evaluate("() => { window.jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }")
        self.page.wait_for_timeout(500)
        self.wait_answer()

    def wait_answer(self):
        """Wait until the kernel answers; what was asked while it was down is lost, so it is asked again."""
        self.page.evaluate("() => { window.answered = false; }")
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while not self.page.evaluate("() => window.answered"):
            assert time.monotonic() < deadline, "the kernel does not answer"
            self.page.evaluate(
                """() => {
                    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                    kernel.requestKernelInfo().then(() => { window.answered = true; }, () => {});
                }"""
            )
            self.page.wait_for_timeout(500)


@pytest.fixture
def open_notebook(bare_lab, browser):
    """Open cells as a new notebook where our front end is not: ``open_notebook(name, [source, ...], theme=...)``."""
    with notebooks_in(bare_lab, browser) as opened:
        yield opened


@pytest.fixture
def open_live_notebook(lab, browser):
    """Open cells as a new notebook where our front end is."""
    with notebooks_in(lab, browser) as opened:
        yield opened


@contextlib.contextmanager
def notebooks_in(server, browser):
    url, folder = server
    contexts = []

    def opened(name, cells, theme="JupyterLab Light", *, outputs=None):
        path = folder / f"{name}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        for index, found in (outputs or {}).items():
            notebook.cells[index].outputs = [nbformat.from_dict(output) for output in found]
        nbformat.write(notebook, path)
        context = browser.new_context(viewport={"width": 1180, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{url}/lab/tree/{name}.ipynb?token={TOKEN}&reset")
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget", timeout=TIMEOUT_MS)
        page.evaluate("([theme]) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", [theme])
        page.wait_for_function(KERNEL_IDLE, timeout=TIMEOUT_MS)
        return NotebookPage(page, path)

    try:
        yield opened
    finally:
        for context in contexts:
            context.close()
