"""Submitting by a click; and what Notebook 7 has of it."""

import json

import nbformat
import pytest

from .conftest import TIMEOUT_MS, keep
from .jupyterlab import KERNEL_IDLE, TOKEN, lab_server
from .test_live_view import LiveView
from .test_submit import SETUP

pytestmark = pytest.mark.browser

TRAIN = "for step in range(20):\n    amlnb.log(step=step, loss=loss(step))"


def start(page, command):
    page.evaluate("([command]) => { window.jupyterapp.commands.execute(command); }", [command])


def submit(page, picture):
    page.locator(".jp-Dialog .amlnb-form").wait_for()
    keep(page, picture)
    page.locator(".jp-Dialog button.jp-mod-accept").click()


def test_a_cell_is_submitted_by_a_click(open_live_notebook):
    notebook = open_live_notebook("click", [SETUP, TRAIN])
    notebook.run_cell(0)
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    notebook.page.locator(
        "[data-jp-item-name='amlnb-submit'] button, .jp-Toolbar [data-command='amlnb:submit-cell']"
    ).first.click()
    notebook.page.locator(".jp-Dialog .amlnb-form input[name='name']").fill("by click")
    notebook.page.locator(".jp-Dialog .amlnb-form input[name='experiment']").fill("clicks")
    submit(notebook.page, "form-cell")
    view = LiveView(notebook, 1)
    assert view.wait_state("Completed", "Failed") == "Completed"
    source = notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.getSource()"
    )
    assert source == f"%%submit 'by click' --experiment clicks\n{TRAIN}"


def test_only_the_cell_before_one_is_submitted_whatever_is_selected(open_live_notebook, lab):
    noted = "with open('noted.txt', 'a') as file:\n    file.write('here')"
    notebook = open_live_notebook("several", [SETUP, noted, TRAIN])
    notebook.run_cell(0)
    notebook.page.evaluate(
        """() => {
            const { content } = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = 1;
            content.extendContiguousSelectionTo(2);
        }"""
    )
    start(notebook.page, "amlnb:submit-cell")
    submit(notebook.page, "form-several")
    assert LiveView(notebook, 2).wait_state("Completed", "Failed") == "Completed"
    notebook.wait_idle()
    assert not (lab[1] / "noted.txt").exists()


def test_a_script_is_submitted_as_it_is_before_one(open_live_notebook, lab):
    (lab[1] / "edited.py").write_text("print('old')\n")
    page = open_live_notebook("beside", ["1"]).page
    page.evaluate("() => { window.jupyterapp.commands.execute('docmanager:open', {path: 'edited.py'}); }")
    page.locator(".jp-FileEditor .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("print('new words')")
    start(page, "amlnb:submit-file")
    submit(page, "form-edited")
    view = page.locator(".amlnb-place [data-amlnb-run][data-amlnb-state='Completed'] >> visible=true")
    view.wait_for()
    view.get_by_role("tab", name="Log").click()
    view.get_by_text("new words").first.wait_for()
    assert (lab[1] / "edited.py").read_text() == "print('new words')"


def test_a_notebook_and_a_script_are_submitted_by_a_click(open_live_notebook, lab):
    notebook = open_live_notebook("host", ["1"])
    (lab[1] / "script.py").write_text(
        "import sys\nfrom amlnb import Run\nRun.get_context().log('loss', float(sys.argv[2]))\n"
    )
    job = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("rate = 0.5  # how fast", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("import amlnb\namlnb.log(rate=rate)"),
        ]
    )
    job.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(job, lab[1] / "job.ipynb")
    page = notebook.page
    start(page, "filebrowser:activate")
    start(page, "filebrowser:refresh")
    for name, entry, metric in (("job.ipynb", "Submit notebook", "rate"), ("script.py", "Submit script", "loss")):
        page.locator(".jp-DirListing-item", has_text=name).click(button="right")
        page.locator(".lm-Menu-item", has_text=entry).click()
        if metric == "rate":
            page.locator(".jp-Dialog input[name='parameter rate']").fill("0.25")
        else:
            page.locator(".jp-Dialog input[name='experiment']").fill("a/b")
            page.locator(".jp-Dialog input[name='arguments']").fill("--loss 0.125")
            submit(page, "form-refused")
            page.locator(".jp-Dialog [role='alert']").wait_for()  # with what was typed
            keep(page, "form-again")
            page.locator(".jp-Dialog input[name='experiment']").fill("better")
        submit(page, f"form-{name}")
        view = page.locator(".amlnb-place [data-amlnb-run][data-amlnb-state='Completed'] >> visible=true")
        view.wait_for()
        view.locator(f"[data-amlnb-metric='{metric}'] >> visible=true").first.wait_for()
        assert ("0.2500" if metric == "rate" else "0.1250") in view.inner_text()
        start(page, "application:close")


def test_notebook_7_shows_a_run_live(browser, tmp_path):
    with lab_server(tmp_path, app="notebook") as (url, folder):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(SETUP), nbformat.v4.new_code_cell(f"%%submit\n{TRAIN}")]
        )
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / "seven.ipynb")
        context = browser.new_context(viewport={"width": 1180, "height": 900})
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{url}/notebooks/seven.ipynb?token={TOKEN}")
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget")
        page.locator(".jp-Notebook .jp-Cell").nth(1).wait_for()
        page.wait_for_function(KERNEL_IDLE)
        start(page, "notebook:run-all-cells")
        view = page.locator("[data-amlnb-run][data-amlnb-state='Completed']")
        view.wait_for()
        page.wait_for_function("() => document.querySelector('[data-amlnb-metric=loss]')?.dataset.amlnbPoints === '20'")
        with context.expect_page() as opened:
            view.get_by_role("button", name="Open the run").click()
        opened.value.locator("[data-amlnb-run][data-amlnb-state='Completed']").wait_for()
        context.close()
    assert json.loads((folder / "seven.ipynb").read_text())["nbformat"] == 4
