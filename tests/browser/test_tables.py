"""The table of runs and a comparison in JupyterLab: in both themes, in a notebook that is trusted and in one that is not."""

import math
import random

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace

from .test_submit import contrast

pytestmark = pytest.mark.browser

THEMES = ["JupyterLab Light", "JupyterLab Dark"]
CELLS = [
    """import os
os.chdir({folder!r})
import amlnb
workspace = amlnb.Workspace.from_config()
experiment = workspace.experiments["digits"]
runs = list(experiment.get_runs())""",
    "experiment.show()",
    "amlnb.compare(runs[0], runs[3])",
    "amlnb.compare(*runs[:5])",
    "runs[1]",
    "workspace",
]
SHOWN, COMPARED, COMPARED_MANY, CARD = 1, 2, 3, 4
CODE = 'import amlnb\n\nrate = {rate}\nwidth = {width}\nfor step in range(40):\n    amlnb.log(loss=rate / (step + 1), step=step)\nprint("done")\n'
# Where the widest of a cell's outputs ends, and where its room does.
OVERFLOW = """([index]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    const room = cell.node.querySelector('.jp-OutputArea').getBoundingClientRect();
    return [...cell.node.querySelectorAll('.jp-OutputArea-output')].map((output) => ({
        height: output.getBoundingClientRect().height,
        beyond: output.getBoundingClientRect().right - room.right,
    }));
}"""
IMAGE = """([index]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    const image = cell.node.querySelector('.jp-OutputArea-output img');
    return image && image.complete && image.naturalWidth > 0
        ? {source: image.src.slice(0, 14), width: image.getBoundingClientRect().width} : null;
}"""
GROUNDS = """([index]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
    return [...cell.node.querySelectorAll('pre span')].map((span) => getComputedStyle(span).backgroundColor);
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a workspace of some runs."""
    folder = tmp_path_factory.mktemp("project")
    workspace = Workspace.find_or_create(str(folder))[0]
    experiment = Experiment(workspace, "digits")
    chance = random.Random(1)
    for number in range(30):
        rate, width = chance.choice([0.3, 0.1, 0.03]), chance.choice([32, 64])
        source = folder / "src"
        source.mkdir(exist_ok=True)
        (source / "train.py").write_text(CODE.format(rate=rate, width=width))
        (source / "data.py").write_text("ROWS = 100\n")
        name = ["softmax", "a wide network", None][number % 3]
        run = experiment.start_logging(name, snapshot_directory=str(source))
        run.add_properties({"param.rate": str(rate), "param.width": str(width), "param.epochs": "40"})
        run.set_tags({"data": "digits", **({"sweep": "first"} if number % 4 else {})})
        for step in range(40):
            noise = chance.random() * 0.04
            value = math.exp(-step * rate / 4) + noise
            for metric, logged in (("loss", value), ("val_loss", value + 0.1), ("accuracy", 1 - value)):
                run.log(metric, logged, step=step)
        if number % 9 == 5:
            run.fail(error_details="RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB")
        else:
            run.complete()
    return str(folder)


@pytest.mark.parametrize("theme", THEMES)
def test_tables_and_comparisons_look_the_same_with_trust_and_without(open_notebook, project, theme):
    name = theme.rsplit(" ", maxsplit=1)[-1].lower()
    cells = [cell.format(folder=project) for cell in CELLS]
    trusted = open_notebook(f"tables-{name}", cells, theme)
    for index in range(len(cells)):
        trusted.run_cell(index)
    outputs = {index: trusted.outputs(index) for index in range(1, len(cells))}
    untrusted = open_notebook(f"tables-fresh-{name}", cells, theme, outputs=outputs)
    assert not untrusted.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.trusted")
    for notebook in (trusted, untrusted):
        check(notebook)


def check(notebook):
    """What a person should see."""
    cells = notebook.page.locator(".jp-Notebook .jp-Cell")
    table = cells.nth(SHOWN).locator("table")
    assert table.locator("tbody tr").count() == 30
    assert table.locator("b", has_text="★").count() == 3
    assert "█" in table.inner_text()
    assert "CUDA out of memory" in table.inner_text()
    assert contrast(table.locator("tbody td").nth(1)) > 4.5
    assert contrast(table.locator("b").first) > 4.5
    assert contrast(cells.nth(COMPARED).locator("th").nth(1)) > 4.5
    for index in (SHOWN, COMPARED, COMPARED_MANY, CARD):
        for box in notebook.page.evaluate(OVERFLOW, [index]):
            assert box["height"] < 480
            assert box["beyond"] < 1
    for index in (COMPARED, COMPARED_MANY):
        image = notebook.page.evaluate(IMAGE, [index])
        assert image["source"] == "data:image/png"
        assert 600 < image["width"] < 800
    compared = cells.nth(COMPARED)
    assert "the same in both" in compared.inner_text()
    assert "-rate = " in compared.locator("pre").inner_text()
    grounds = notebook.page.evaluate(GROUNDS, [COMPARED])
    assert len({ground for ground in grounds if "0.16" in ground}) == 2
    assert "the same letter" in cells.nth(COMPARED_MANY).inner_text()
    assert "Completed" in cells.nth(CARD).inner_text()
