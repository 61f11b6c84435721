"""Widgets in a JupyterLab without our front end: what stands behind them is the kernel."""

import pytest

from .conftest import TIMEOUT_MS, keep
from .test_submit import CELL, SETUP

pytestmark = pytest.mark.browser

WIDGET = "from amlnb.widget import MetricPlot, RunTable, RunWidget\nimport ipywidgets\n"


def wait_points(page, index, least, metric="loss"):
    page.wait_for_function(
        """([index, least, metric]) => {
            const cell = document.querySelectorAll('.jp-Cell')[index];
            const chart = cell?.querySelector(`[data-amlnb-metric="${metric}"]`);
            return chart !== null && Number(chart?.dataset.amlnbPoints) >= least;
        }""",
        arg=[index, least, metric],
        timeout=TIMEOUT_MS,
    )


def wait_painted(page, index, metric="loss"):
    """Until the curve can be seen: pixels of many columns in the blue of the first curve."""
    page.locator(".jp-Cell").nth(index).locator(f'[data-amlnb-metric="{metric}"]').scroll_into_view_if_needed()
    page.wait_for_function(
        """([index, metric]) => {
            const cell = document.querySelectorAll('.jp-Cell')[index];
            const canvas = cell?.querySelector(`[data-amlnb-metric="${metric}"] canvas`);
            if (!canvas || canvas.width < 200 || canvas.clientHeight < 60) {
                return false;
            }
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const columns = new Set();
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3] > 60 && data[at + 2] - data[at] > 60) {
                    columns.add((at / 4) % canvas.width);
                }
            }
            return columns.size > canvas.width / 2;
        }""",
        arg=[index, metric],
        polling=200,
        timeout=TIMEOUT_MS,
    )


def test_a_run_is_live_in_a_widget_while_its_kernel_is_busy(open_notebook):
    busy = "end = time.monotonic() + 6\nwhile time.monotonic() < end:\n    sum(range(1000))"
    show = WIDGET + "widget = RunWidget(run)\nwidget"
    seen = "while widget.state != 'Completed':\n    time.sleep(0.1)\nprint(widget.state, sorted(widget.metrics), widget.metrics['loss'])"
    notebook = open_notebook("widget", [SETUP, CELL.format(experiment="widget", steps=150), show, busy, seen])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    wait_points(notebook.page, 2, 1)
    notebook.run_cell(3, wait=False)
    wait_points(notebook.page, 2, 150)
    wait_painted(notebook.page, 2)
    notebook.page.locator(".jp-Cell >> nth=2 >> [data-amlnb-run][data-amlnb-state='Completed']").wait_for()
    notebook.wait_idle()
    notebook.run_cell(4)
    text = "".join(output["text"] for output in notebook.outputs(4))
    assert text.startswith("Completed ['loss', 'val_loss'] 0.")


def test_a_plot_stands_beside_other_widgets_and_its_traits_are_observed(open_notebook):
    show = WIDGET + (
        "plot = MetricPlot(run, 'loss')\nseen = []\nplot.observe(lambda change: seen.append(change.new), 'points')\n"
        "ipywidgets.HBox([plot, ipywidgets.IntSlider(description='beside')])"
    )
    told = "run.wait_for_completion()\ntime.sleep(2)\nprint(plot.points, plot.state, len(plot.curve[0]), seen == sorted(seen))"
    notebook = open_notebook("plot", [SETUP, CELL.format(experiment="plot", steps=60), show, told])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    wait_points(notebook.page, 2, 60)
    wait_painted(notebook.page, 2)
    notebook.page.get_by_text("beside", exact=True).wait_for()
    assert notebook.page.locator(".widget-slider").bounding_box()["width"] > 250
    notebook.run_cell(3)
    assert notebook.outputs(3)[-1]["text"].split()[-4:] == ["60", "Completed", "60", "True"]


def test_a_table_tells_which_runs_are_chosen(open_notebook):
    table = WIDGET + "run.wait_for_completion()\ntable = RunTable(run.experiment)\ntable"
    notebook = open_notebook(
        "table-widget",
        [SETUP, CELL.format(experiment="tabled", steps=3), table, "print(table.selected == [run.id])"],
    )
    for index in (0, 1, 2):
        notebook.run_cell(index)
    row = notebook.page.locator("[data-amlnb-run-table] [data-amlnb-row]").first
    row.wait_for()
    row.locator("input").click()
    notebook.page.get_by_text("1 chosen").wait_for()
    assert notebook.page.locator(".amlnb-widget-table").bounding_box()["height"] < 300
    notebook.run_cell(3)
    assert notebook.outputs(3)[0]["text"] == "True\n"


def test_a_widget_asks_before_it_acts_and_notices_that_its_kernel_is_gone(open_notebook):
    show = WIDGET + "RunWidget(run)"
    notebook = open_notebook("asking", [SETUP, CELL.format(experiment="asking", steps=5000), show])
    for index in (0, 1, 2):
        notebook.run_cell(index)
    wait_points(notebook.page, 2, 1)
    cell = notebook.page.locator(".jp-Cell").nth(2)
    question = cell.get_by_role("dialog")
    cell.get_by_role("button", name="Cancel", exact=True).click()
    keep(notebook.page, "widget-question")
    notebook.page.keyboard.press("Enter")  # the safe answer has the focus
    question.wait_for(state="detached")
    assert cell.locator("[data-amlnb-state='Running']").count() == 1
    cell.get_by_role("button", name="Cancel", exact=True).click()
    question.get_by_role("button", name="Cancel the run").click()
    cell.locator("[data-amlnb-state='Canceled']").wait_for()
    notebook.restart_kernel()
    cell.get_by_text("The connection broke").wait_for()
    keep(notebook.page, "widget-lost")
