"""The live view of a run below its cell, where our front end is."""

import contextlib
import json
import os
import re

import nbformat
import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.core import states

from .conftest import TIMEOUT_MS, keep, notebooks_in, violations
from .jupyterlab import KERNEL_IDLE, free_port, lab_server
from .test_submit import CELL, SETUP, reader_of, until_sealed

pytestmark = pytest.mark.browser

BUSY = "end = time.monotonic() + {seconds}\nwhile time.monotonic() < end:\n    sum(range(1000))"
ENDS = ("Completed", "Failed", "Canceled")
GOING = """%%submit --experiment {experiment}
import os
step = 0
while not os.path.exists({stop!r}) and step < 5000:
    amlnb.log(step=step, loss=loss(step % 90), val_loss=loss(step % 90) + 0.1)
    print("epoch", step, flush=True)
    step += 1
    time.sleep(0.05)
"""


class LiveView:
    """What stands below a cell."""

    def __init__(self, notebook, index):
        self.page = notebook.page
        self.root = notebook.page.locator(f".jp-Cell >> nth={index} >> [data-amlnb-run]")

    @property
    def state(self):
        return self.root.get_attribute("data-amlnb-state")

    def points(self, metric="loss"):
        return int(self.root.locator(f"[data-amlnb-metric='{metric}']").first.get_attribute("data-amlnb-points"))

    def wait_points(self, least, metric="loss"):
        self.root.locator(f"[data-amlnb-metric='{metric}']").first.wait_for()
        self._until(lambda: self.points(metric) >= least, f"{least} points of {metric}")
        return self.points(metric)

    def wait_state(self, *wanted):
        self.root.wait_for()
        self._until(lambda: self.state in wanted, f"one of {wanted}, not {self.state}")
        return self.state

    def _until(self, happened, what):
        for _ in range(TIMEOUT_MS // 50):
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the view never showed {what}: {self.root.inner_text()}")


def live(open_live_notebook, name, *, steps, cells=(), theme="JupyterLab Light"):
    notebook = open_live_notebook(name, [SETUP, CELL.format(experiment=name, steps=steps), *cells], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    return notebook, LiveView(notebook, 1)


def going(open_live_notebook, name, stop, *, cells=(), theme="JupyterLab Light"):
    """A run that goes on until the file ``stop`` is there: a slow machine looks at it later. The third value ends it."""
    cell = GOING.format(experiment=name, stop=str(stop))
    notebook = open_live_notebook(name, [SETUP, cell, *cells], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    reader = reader_of(notebook, 1)

    def end():
        """End it; returns the number of points."""
        stop.touch()
        until_sealed(reader)
        return len(reader.series("loss").value)

    return notebook, LiveView(notebook, 1), end


def painted(view, metric="loss"):
    """Whether the chart's canvas holds anything but its ground."""
    return view.root.locator(f"[data-amlnb-metric='{metric}'] canvas").first.evaluate(
        """canvas => {
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return pixels.some(value => value !== pixels[0]);
        }"""
    )


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_points_grow_under_the_cell(open_live_notebook, tmp_path, theme):
    name = theme.removeprefix("JupyterLab ").replace(" ", "-").lower()
    notebook, view, end = going(open_live_notebook, f"live-{name}", tmp_path / "stop", theme=theme)
    first = view.wait_points(1)
    assert view.wait_points(first + 5) > first
    assert view.state == "Running"
    assert painted(view)
    keep(notebook.page, f"live-{name}")
    count = end()
    view.wait_state("Completed")
    assert view.wait_points(count) == count
    assert notebook.page.locator(".jp-Cell >> nth=1 >> table:visible").count() == 0  # shown live, not twice
    final = notebook.wait_state(1, states.COMPLETED)
    assert {"image/png", "text/plain"} < set(final)
    assert violations(notebook.page) == []
    keep(notebook.page, f"live-ended-{name}")


def test_a_failed_cell_shows_its_line_and_values_first(open_live_notebook):
    cell = "%%submit\nvalues = [1, 2, 3]\nfor position in range(9):\n    values[position] += 1"
    notebook = open_live_notebook("fails", [SETUP, cell])
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = LiveView(notebook, 1)
    assert view.wait_state(*ENDS) == "Failed"
    text = view.root.inner_text()
    assert "list index out of range" in text
    assert "values[position] += 1" in text
    assert "position" in text
    assert violations(notebook.page) == []
    keep(notebook.page, "live-failed")


def test_points_grow_and_a_button_cancels_while_the_kernel_is_busy(open_live_notebook, tmp_path):
    notebook, view, _ = going(open_live_notebook, "busy-live", tmp_path / "stop", cells=[BUSY.format(seconds=600)])
    notebook.run_cell(2, wait=False)
    first = view.wait_points(1)
    view.wait_points(first + 5)
    view.root.get_by_role("button", name=re.compile("^Cancel")).first.click()
    notebook.page.locator(".jp-Dialog").get_by_role("button", name="Cancel the run").click()
    assert view.wait_state(*ENDS) == "Canceled"
    assert notebook.page.evaluate(KERNEL_IDLE) is False
    notebook.interrupt_kernel()


def test_it_attaches_again_after_a_restart_of_the_kernel_and_a_reload_of_the_page(open_live_notebook, tmp_path):
    notebook, view, end = going(open_live_notebook, "again", tmp_path / "stop")
    view.wait_points(3)
    notebook.save()
    notebook.restart_kernel()
    before = view.points()
    assert view.wait_points(before + 5) > before
    notebook.page.reload()
    notebook.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget")
    view.root.wait_for()
    after = view.wait_points(before + 10)
    assert after > before
    count = end()
    view.wait_state("Completed")
    assert view.wait_points(count) == count
    # Nobody but the page is left to write the last outputs into the notebook.
    final = notebook.wait_state(1, states.COMPLETED)
    assert f"{count:,} points" in final["text/plain"]
    notebook.save()
    notebook.page.wait_for_timeout(500)
    saved = json.loads(notebook.path.read_text())
    kinds = [set(output.get("data", {})) for output in saved["cells"][1]["outputs"]]
    assert sum("image/png" in each for each in kinds) == 1
    assert not any("image/svg+xml" in each for each in kinds)


def test_it_attaches_in_a_notebook_that_is_not_trusted(open_live_notebook, lab):
    notebook, view = live(open_live_notebook, "trusted", steps=40)
    view.wait_state("Completed")
    notebook.wait_state(1, states.COMPLETED)
    notebook.save()
    notebook.page.wait_for_timeout(500)
    saved = nbformat.read(notebook.path, 4)
    copy = os.path.join(lab[1], "untrusted.ipynb")
    saved.cells[0].source += "\n# not signed"
    nbformat.write(saved, copy)
    outputs = {index: cell.outputs for index, cell in enumerate(saved.cells)}
    other = open_live_notebook("untrusted", [cell.source for cell in saved.cells], outputs=outputs)
    trusted = other.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    assert trusted is False
    shown = LiveView(other, 1)
    shown.wait_state("Completed")
    assert shown.wait_points(40) == 40


def test_a_run_that_is_not_here_shows_what_the_notebook_holds(open_live_notebook):
    notebook, view = live(open_live_notebook, "elsewhere", steps=40)
    view.wait_state("Completed")
    notebook.wait_state(1, states.COMPLETED)
    outputs = notebook.outputs(1)
    for output in outputs:
        for mime in ("application/vnd.amlnb.run+json", "application/vnd.amlnb.run-details+json"):
            if mime in output.get("data", {}):
                output["data"][mime]["id"] = "of-another-machine"
    other = open_live_notebook("strange", ["1", "2"], outputs={1: outputs})
    other.page.locator(".jp-Cell >> nth=1 >> .amlnb-output-picture").wait_for()
    other.page.locator(".jp-Cell >> nth=1 >> table").first.wait_for()
    assert other.page.locator("[data-amlnb-run]").count() == 0


def test_a_zoom_stays_while_points_come_in(open_live_notebook, tmp_path):
    _, view, end = going(open_live_notebook, "zoom", tmp_path / "stop")
    view.wait_points(40)
    chart = view.root.locator("[data-amlnb-metric='loss']").first
    chart.scroll_into_view_if_needed()
    box = chart.locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    view.page.mouse.move(box["x"] + 0.2 * box["width"], y)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    view.page.mouse.up()
    chart.get_by_role("button", name=re.compile("^Show all")).wait_for(state="attached")
    before = view.points()
    view.wait_points(before + 10)
    assert chart.get_by_role("button", name=re.compile("^Show all")).count() == 1
    end()


def test_a_server_that_comes_back_is_found_again(browser, tmp_path):
    port = free_port()
    with contextlib.ExitStack() as stack:
        with lab_server(tmp_path, port=port) as server:
            opened = stack.enter_context(notebooks_in(server, browser))
            _, view, end = going(opened, "comes-back", tmp_path / "stop")
            view.wait_points(3)
        # Its kernel is gone with it; the run is not, and neither is what the page has.
        assert view.points() >= 3
        view.page.wait_for_timeout(1000)
        with lab_server(tmp_path, port=port):
            count = end()
            view.wait_state("Completed")
            assert view.wait_points(count) == count


def test_a_fresh_folder_comes_to_show_its_own_runs(tmp_path, browser):
    other = tmp_path / "other"
    other.mkdir()
    Experiment(Workspace.find_or_create(str(other))[0], "elsewhere").start_logging(display_name="foreign").complete()
    with lab_server(tmp_path) as server, notebooks_in(server, browser) as opened:
        notebook = opened("fresh", [SETUP, CELL.format(experiment="fresh", steps=2)])
        page = notebook.page
        notebook.execute("amlnb:show-sidebar")
        sidebar = page.locator(".amlnb-experiments")
        sidebar.get_by_text("No runs in this folder yet. Put %%submit on top").wait_for()
        assert page.get_by_text("elsewhere").count() == 0
        notebook.run_cell(0)
        notebook.run_cell(1)
        sidebar.locator("[data-amlnb-experiment=fresh]").wait_for()
        LiveView(notebook, 1).wait_state("Completed")
        page.locator(".jp-Notebook").first.click(position={"x": 5, "y": 5})
        page.keyboard.press("Control+Alt+r")
        table = page.locator("[data-amlnb-run-table]")
        table.get_by_text("softmax").first.wait_for()
        assert table.get_by_text("foreign").count() == 0
        table.get_by_text("Workspace notebooks").wait_for()
