"""What a person sees below a ``%%submit`` cell in JupyterLab."""

import os
import re
import signal
import time

import nbformat
import pytest

from amlnb.core import states
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import find_data

pytestmark = pytest.mark.browser

SETUP = """%load_ext amlnb
import math
import time
import amlnb
rate = 0.5

def loss(step):
    return math.exp(-step * rate / 40)
"""
CELL = """%%submit "softmax" --as run --experiment {experiment}
for step in range({steps}):
    amlnb.log(step=step, loss=loss(step), val_loss=loss(step) + 0.1)
    print("epoch", step, flush=True)
    time.sleep(0.05)
"""
# The picture that is really there: loaded, and as large as it should be.
SHOWN_IMAGE = """([index]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    const image = [...cell.node.querySelectorAll('.jp-OutputArea-output img')].pop();
    return image && image.complete && image.naturalWidth > 0
        ? {source: image.src.slice(0, 20), width: image.getBoundingClientRect().width, room: image.parentElement.clientWidth}
        : null;
}"""


def points(shown):
    """Number of points of the first metric, by the picture's text."""
    found = re.search(r"([\d,]+) points", shown.get("text/plain", ""))
    return int(found.group(1).replace(",", "")) if found else 0


def reader_of(notebook, index):
    """Reader of the run that a cell shows."""
    run_id = notebook.run_shown(index)["application/vnd.amlnb.run+json"]["id"]
    runs = os.path.join(find_data(os.path.dirname(notebook.path)), "runs")
    readers = [RunReader(os.path.join(runs, name)) for name in os.listdir(runs) if not name.startswith(".")]
    return next(reader for reader in readers if reader.id == run_id)


def until_sealed(reader):
    deadline = time.monotonic() + 60
    while reader.final is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        reader.refresh()
    return reader.facts()


def seen_while_running(notebook, index, *, at_least):
    """Numbers of points that the output showed, one after the other, until it has shown so many different ones."""
    seen = []
    deadline = time.monotonic() + 60
    while len(seen) < at_least:
        assert time.monotonic() < deadline, f"the curve stood still: {seen}"
        shown = notebook.run_shown(index)
        running = shown and shown["application/vnd.amlnb.run+json"]["state"] == states.RUNNING
        if running and points(shown) and points(shown) not in seen:
            assert notebook.page.evaluate(SHOWN_IMAGE, [index]) is not None
            seen.append(points(shown))
        notebook.page.wait_for_timeout(20)
    return seen


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_curve_grows_under_the_cell_and_ends_as_picture_and_table(open_notebook, theme):
    name = theme.rsplit(" ", maxsplit=1)[-1].lower()
    notebook = open_notebook(f"grows-{name}", [SETUP, CELL.format(experiment="grows", steps=60)], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)  # returns at once: the kernel is idle while the curve grows
    seen = seen_while_running(notebook, 1, at_least=3)
    assert seen == sorted(seen)
    assert notebook.page.evaluate(SHOWN_IMAGE, [1])["source"].startswith("data:image/svg+xml")
    final = notebook.wait_state(1, states.COMPLETED)
    assert points(final) == 60
    assert "image/svg+xml" not in final
    stream, _, details = notebook.outputs(1)
    assert stream["output_type"] == "stream"
    assert set(details["data"]) == {"application/vnd.amlnb.run-details+json", "text/html", "text/plain"}
    image = notebook.page.evaluate(SHOWN_IMAGE, [1])
    assert image["source"].startswith("data:image/png")
    assert image["width"] <= image["room"]
    table = notebook.page.locator(".jp-OutputArea-output table").last
    assert "val_loss" in table.inner_text()
    notebook.page.wait_for_timeout(100)
    notebook.save()


def test_the_curve_grows_while_the_kernel_is_busy(open_notebook):
    busy = "end = time.monotonic() + 4\nwhile time.monotonic() < end:\n    sum(range(1000))"
    notebook = open_notebook("busy", [SETUP, CELL.format(experiment="busy", steps=60), busy])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.run_cell(2, wait=False)
    seen_while_running(notebook, 1, at_least=3)
    notebook.wait_state(1, states.COMPLETED)


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_a_run_outlives_its_kernel_and_can_be_shown_again(open_notebook, end):
    again = "run = amlnb.Workspace.from_config().get_run(run_id)\nrun"
    cells = [SETUP, CELL.format(experiment="outlives", steps=60), "import os; print(os.getpid())", "run_id = ''", again]
    notebook = open_notebook(f"outlives-{end}", cells)
    for index in (0, 1, 2):
        notebook.run_cell(index)
    seen_while_running(notebook, 1, at_least=2)
    reader = reader_of(notebook, 1)
    if end == "kill":
        os.kill(int(notebook.outputs(2)[0]["text"]), signal.SIGKILL)
    else:
        notebook.restart_kernel()
    facts = until_sealed(reader)
    assert facts.state == states.COMPLETED
    assert len(reader.series("loss").value) == 60
    notebook.wait_answer()
    notebook.dismiss_dialogs()
    notebook.run_cell(0)
    notebook.set_source(3, f"run_id = {reader.id!r}")
    notebook.run_cell(3)
    notebook.run_cell(4)
    assert points(notebook.wait_state(4, states.COMPLETED)) == 60


def test_loading_the_extension_after_a_restart_brings_back_the_run_that_is_going(open_notebook):
    notebook = open_notebook("back", [SETUP, CELL.format(experiment="back", steps=200)])
    notebook.run_cell(0)
    notebook.run_cell(1)
    seen_while_running(notebook, 1, at_least=2)
    notebook.restart_kernel()
    notebook.wait_answer()
    notebook.dismiss_dialogs()
    assert "as of" in notebook.run_shown(1)["text/plain"]  # it stands still, and says since when
    notebook.run_cell(0)
    seen_while_running(notebook, 0, at_least=2)
    assert points(notebook.wait_state(0, states.COMPLETED)) == 200


def test_an_interrupt_of_a_block_lets_go_of_the_run_and_says_how_to_get_back(open_notebook):
    cell = CELL.format(experiment="detach", steps=60).replace('"softmax"', '"softmax" --block')
    notebook = open_notebook("detach", [SETUP, cell])
    notebook.run_cell(0)
    notebook.run_cell(1, wait=False)
    seen_while_running(notebook, 1, at_least=2)
    reader = reader_of(notebook, 1)
    notebook.interrupt_kernel()
    notebook.wait_idle()
    text = "".join(output.get("text", "") for output in notebook.outputs(1))
    assert "the run goes on" in text
    assert f"amlnb run logs -f {reader.id}" in text
    assert until_sealed(reader).state == states.COMPLETED
    assert points(notebook.wait_state(1, states.COMPLETED)) == 60


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_saved_result_is_readable_in_an_untrusted_notebook(open_notebook, theme):
    name = theme.rsplit(" ", maxsplit=1)[-1].lower()
    first = open_notebook(f"saved-{name}", [SETUP, CELL.format(experiment="saved", steps=30)], theme)
    first.run_cell(0)
    first.run_cell(1)
    first.wait_state(1, states.COMPLETED)
    outputs = first.outputs(1)
    second = open_notebook(f"fresh-{name}", [SETUP, "pass"], theme, outputs={1: outputs})
    assert not second.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    image = second.page.evaluate(SHOWN_IMAGE, [1])
    assert image["source"].startswith("data:image/png")
    table = second.page.locator(".jp-OutputArea-output table").last
    assert "val_loss" in table.inner_text()
    assert contrast(table.locator("td").nth(6)) > 4.5  # a name in the table, against the page
    assert "epoch 29" in second.page.locator(".jp-OutputArea-output pre").last.inner_text()


def test_a_refused_cell_says_what_to_do(open_notebook):
    notebook = open_notebook("refused", [SETUP, "%%submit\nprint(ratee)"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    (error,) = notebook.outputs(1)
    assert len(error["traceback"]) == 2
    assert "Did you mean rate?" in "".join(error["traceback"])


def contrast(element):
    """Contrast ratio of an element's text against the page behind it, as WCAG defines it."""
    text, ground = element.evaluate(
        """(node) => {
            let behind = node;
            while (behind && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) {
                behind = behind.parentElement;
            }
            const ground = behind ? getComputedStyle(behind).backgroundColor : 'rgb(255, 255, 255)';
            return [getComputedStyle(node).color, ground].map((colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number));
        }"""
    )
    high, low = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour):
    linear = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_notebook_on_disk_holds_the_final_version_once_saved(open_notebook):
    notebook = open_notebook("disk", [SETUP, CELL.format(experiment="disk", steps=10)])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.wait_state(1, states.COMPLETED)
    notebook.save()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        cell = nbformat.read(notebook.path, 4).cells[1]
        kinds = [set(output.get("data", {})) for output in cell.outputs[1:]]
        if kinds and "image/png" in kinds[0]:
            break
        time.sleep(0.1)
    assert kinds == [
        {"application/vnd.amlnb.run+json", "image/png", "text/plain"},
        {"application/vnd.amlnb.run-details+json", "text/html", "text/plain"},
    ]
    assert "widgets" not in nbformat.read(notebook.path, 4).metadata
