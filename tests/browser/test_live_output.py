"""How a run looks below its cell: progress, the colours of its log, a failure; and a notebook refreshed from outside."""

import os
import re
import signal
import subprocess
import sys

import nbformat
import pytest

from amlnb.api.run_outputs import details_output
from amlnb.core import states
from amlnb.live.terminal import terminal_line
from amlnb.specs.run_view import RunView

from .test_submit import contrast, reader_of, until_sealed

pytestmark = pytest.mark.browser

THEMES = ["JupyterLab Light", "JupyterLab Dark"]
SETUP = "%load_ext amlnb\nimport amlnb\nimport time\nimport os"
PROGRESS = """%%submit "progress" --experiment looks
for i in range({steps}):
    amlnb.progress(i + 1, {steps}, "epoch 3")
    amlnb.log(step=i, loss=1 / (i + 1))
    print("\\x1b[32mINFO\\x1b[0m epoch", i)
    time.sleep(0.05)
"""
FAILED = """%%submit "failed" --experiment looks
def train(rate):
    weights = [0.0] * 784
    raise ValueError("boom")

train(0.125)
"""
BAR = """([index]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    const image = [...cell.node.querySelectorAll('.jp-OutputArea-output img')].pop();
    return image ? decodeURIComponent(image.src) : '';
}"""


def styles(page, text):
    """Computed styles of the innermost element that holds exactly this text."""
    return page.locator(f'.jp-OutputArea-output span:text-is("{text}")').last.evaluate(
        """(node) => {
            const style = getComputedStyle(node);
            return {colour: style.color, ground: style.backgroundColor, weight: style.fontWeight, slant: style.fontStyle,
                    line: style.textDecorationLine, opacity: style.opacity};
        }"""
    )


def test_progress_is_a_bar_that_grows_and_is_gone_at_the_end(open_notebook):
    notebook = open_notebook("progress", [SETUP, PROGRESS.format(steps=60)])
    notebook.run_cell(0)
    notebook.run_cell(1)
    seen = []
    while len(seen) < 3:
        shown = notebook.run_shown(1)
        found = re.search(r"(\d+)/60 · \d+ s left · epoch 3", shown.get("text/plain", ""))
        if found and int(found[1]) not in seen:
            seen.append(int(found[1]))
            bar = re.search(r"M1\.0 33\.0L([\d.]+) 33\.0\" stroke=\"#3d8bfd", notebook.page.evaluate(BAR, [1]))
            assert bar
            assert float(bar[1]) > 1
        assert not shown or shown["application/vnd.amlnb.run+json"]["state"] != states.COMPLETED, seen
        notebook.page.wait_for_timeout(20)
    assert seen == sorted(seen)
    final = notebook.wait_state(1, states.COMPLETED)
    assert "/60" not in final["text/plain"]
    assert "/60" not in notebook.page.locator(".jp-OutputArea-output").last.inner_text()


def test_the_page_does_not_jump_while_a_run_goes_on(open_notebook):
    notebook = open_notebook("jump", [SETUP, PROGRESS.format(steps=60)])
    notebook.run_cell(0)
    notebook.run_cell(1)
    heights = set()
    while True:
        shown = notebook.run_shown(1)
        state = shown.get("application/vnd.amlnb.run+json", {}).get("state")
        if state in states.TERMINAL:
            break
        if (
            state == states.RUNNING
            and len(re.findall(r" points", shown["text/plain"]))
            and "INFO" in str(notebook.outputs(1))
        ):
            height = notebook.page.evaluate(
                "() => [...document.querySelectorAll('.jp-OutputArea')].pop().getBoundingClientRect().height"
            )
            heights.add(round(height))
        notebook.page.wait_for_timeout(50)
    assert 1 <= len(heights) <= 2, heights  # the first point has no curve yet


@pytest.mark.parametrize("theme", THEMES)
def test_a_failed_run_shows_its_last_lines_and_its_values_with_no_click(open_notebook, theme):
    notebook = open_notebook(f"failed-{theme[-4:].strip().lower()}", [SETUP, FAILED], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    shown = notebook.wait_state(1, states.FAILED)
    assert "values in train(), line 4 of the cell" in shown["text/plain"]
    notebook.page.wait_for_timeout(100)
    output = notebook.page.locator(".jp-OutputArea-output").last
    text = output.inner_text()
    for line in ('File "the cell", line 6, in <module>', 'raise ValueError("boom")', "ValueError: boom"):
        assert line in text
    assert re.search(r"rate\s+float\s+0\.125", text)
    assert re.search(r"weights\s+list of 784", text)
    for row in output.locator("td, pre").all():
        assert contrast(row) > 3


RAINBOW = (
    *(f"\x1b[3{n}mnormal{n}\x1b[0m \x1b[9{n}mbright{n}\x1b[0m" for n in range(8)),
    (
        "\x1b[1mbold\x1b[0m \x1b[2mdim\x1b[0m \x1b[3mslanted\x1b[0m \x1b[4munderlined\x1b[0m \x1b[7minverse\x1b[0m "
        "\x1b[37;41mwhite on red\x1b[0m \x1b[38;2;255;255;0mtrue\x1b[0m \x1b[38;5;208morange\x1b[0m"
    ),
    "<img src=x onerror=alert(1)> </pre><script>window.broken = true</script> &lt;",
)


@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_of_a_log_survive_a_notebook_that_is_not_trusted(open_notebook, theme):
    """A notebook that was written outside of Jupyter is not trusted: what it shows goes through the sanitiser."""
    lines = tuple(terminal_line(raw)[0] for raw in RAINBOW)
    details = details_output(RunView("r", "e", states.COMPLETED, log_tail=lines))
    saved = {"output_type": "display_data", "data": details.data, "metadata": {}}
    name = f"colours-{theme[-4:].strip().lower()}"
    notebook = open_notebook(name, ["1"], theme, outputs={0: [saved]})
    assert not notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[0].model.trusted")
    for n in range(8):
        for word in (f"normal{n}", f"bright{n}"):
            assert contrast(notebook.page.locator(f'.jp-OutputArea-output span:text-is("{word}")').last) > 3, word
    assert styles(notebook.page, "normal1")["colour"] != styles(notebook.page, "normal2")["colour"]
    assert int(styles(notebook.page, "bold")["weight"]) >= 600
    assert styles(notebook.page, "dim")["opacity"] == "0.7"
    assert styles(notebook.page, "slanted")["slant"] == "italic"
    assert styles(notebook.page, "underlined")["line"] == "underline"
    assert styles(notebook.page, "inverse")["ground"] == "rgba(128, 128, 128, 0.4)"
    assert styles(notebook.page, "white on red")["ground"] == "rgb(205, 49, 49)"
    assert styles(notebook.page, "white on red")["colour"] == "rgb(229, 229, 229)"
    for word in ("true", "orange"):
        assert contrast(notebook.page.locator(f'.jp-OutputArea-output span:text-is("{word}")').last) > 3
    assert RAINBOW[-1] in notebook.page.locator(".jp-OutputArea-output pre").last.inner_text()
    assert notebook.page.evaluate("() => window.broken") is None


def test_a_notebook_whose_kernel_was_killed_is_refreshed_from_outside(open_notebook):
    notebook = open_notebook("refreshed", [SETUP, PROGRESS.format(steps=40), "print(os.getpid())"])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    notebook.wait_state(1, states.RUNNING)
    reader = reader_of(notebook, 1)
    os.kill(int(notebook.outputs(2)[0]["text"]), signal.SIGKILL)
    notebook.save()
    assert until_sealed(reader).state == states.COMPLETED
    notebook.wait_answer()
    notebook.dismiss_dialogs()
    refresh = [sys.executable, "-m", "amlnb", "notebook", "refresh", str(notebook.path)]
    done = subprocess.run(refresh, capture_output=True, text=True, check=True)
    assert "2 of 2 outputs refreshed" in done.stdout
    assert "as of" not in str(nbformat.read(notebook.path, 4).cells[1].outputs)
    notebook.execute("docmanager:reload")
    notebook.page.wait_for_timeout(500)
    if notebook.page.locator(".jp-Dialog").count():
        notebook.dismiss_dialogs()
    notebook.wait_state(1, states.COMPLETED)


def test_run_details_shows_the_same_live_output(open_notebook):
    details = "from azureml.widgets import RunDetails\nRunDetails(_).show()"
    notebook = open_notebook("details", [SETUP, PROGRESS.format(steps=60), details])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    shown = notebook.wait_state(2, states.RUNNING)
    assert "image/svg+xml" in shown
    final = notebook.wait_state(2, states.COMPLETED)
    assert final["application/vnd.amlnb.run+json"]["id"] == reader_of(notebook, 1).id
    assert [output["output_type"] for output in notebook.outputs(2)] == ["display_data", "display_data"]
