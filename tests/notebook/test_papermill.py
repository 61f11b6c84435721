"""Whole notebooks, executed without a front end, and what is left of them without kernel and trust."""

import base64
import io
import os
import re
import sys

import nbformat
import papermill
import pytest
from nbconvert import HTMLExporter
from PIL import Image

from amlnb.api.run_outputs import DETAILS_MIME, RUN_MIME

pytestmark = pytest.mark.notebook
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Of ipykernel and nbclient, about sockets and event loops; a notebook's own warnings stay errors in its kernel.
quiet = pytest.mark.filterwarnings("ignore")

SETUP = """%load_ext amlnb
import math
import time
import amlnb
rate = 0.5

def loss(step):
    return math.exp(-step * rate / 40)
"""
LOG_OF = """def log_of(run):
    return run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
"""
CELL = """%%submit "<b>first</b>" --as run --experiment digits --tag kept
for step in range(100):
    amlnb.log(step=step, loss=loss(step), val_loss=loss(step) + 0.1)
print("finished", flush=True)
"""


def execute(folder, cells):
    """Execute cells by papermill; the executed notebook."""
    path, executed = folder / "in.ipynb", folder / "out.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    papermill.execute_notebook(str(path), str(executed), cwd=str(folder), progress_bar=False)
    return nbformat.read(executed, 4)


def text_of(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@quiet
def test_without_a_front_end_a_cell_blocks_and_leaves_a_picture_and_a_table(tmp_path):
    notebook = execute(tmp_path, [SETUP, CELL, "print(run.get_status(), len(run.get_metrics()['loss']))\nrun", "_"])
    submitted, after, again = notebook.cells[1:]
    assert "submitted with 2 imports, 1 function, 1 value" in text_of(submitted)
    assert re.search(r"amlnb: run digits_\S+ Completed, .*loss 0\.29", text_of(submitted))
    assert text_of(after) == "Completed 100\n"
    for cell in (submitted, after, again):
        picture, details = [output for output in cell.outputs if output.output_type == "display_data"]
        assert set(picture.data) == {RUN_MIME, "image/png", "text/plain"}
        assert picture.data[RUN_MIME]["state"] == "Completed"
        assert set(details.data) == {DETAILS_MIME, "text/html", "text/plain"}
        Image.open(io.BytesIO(base64.b64decode(picture.data["image/png"]))).verify()
        assert len(str(cell.outputs)) < 100_000
        assert not [output for output in cell.outputs if output.output_type == "execute_result"]
    assert "&lt;b&gt;first" not in details.data["text/html"]  # the name is in the picture
    assert "rate = 0.5" in details.data["text/html"]


@quiet
def test_the_saved_result_is_readable_without_kernel_and_trust(tmp_path):
    notebook = execute(tmp_path, [SETUP, CELL])
    assert "widgets" not in notebook.metadata
    page, _ = HTMLExporter(sanitize_html=True).from_notebook_node(notebook)
    body = page[page.index("<main") :]
    assert len(re.findall(r'<img[^>]* src="data:image/png;base64,', body)) == 1
    for text in ("val_loss", "finished", "experiment digits"):
        assert text in page
    # The path of this machine's folders is nobody's business.
    assert str(tmp_path) not in "".join(
        str(output.get("data", "")) for cell in notebook.cells for output in cell.outputs
    )


@quiet
def test_the_same_run_shown_twice_is_saved_as_the_same_bytes(tmp_path):
    notebook = execute(tmp_path, [SETUP, CELL, "run", "run"])
    first, second = ([output.data for output in cell.outputs] for cell in notebook.cells[2:])
    assert first == second


@quiet
def test_a_failed_run_stops_a_headless_notebook_and_shows_why(tmp_path):
    cells = [SETUP, "%%submit\nprint('before')\nraise ValueError(f'no {rate}')", "print('never')"]
    with pytest.raises(papermill.PapermillExecutionError, match=r"no 0\.5"):
        execute(tmp_path, cells)
    notebook = nbformat.read(tmp_path / "out.ipynb", 4)
    failed = next(cell for cell in notebook.cells if "ValueError" in cell.source)
    shown = str(failed.outputs)
    assert "before" in shown
    assert "hint" in shown
    assert "Failed" in shown


@quiet
def test_a_refused_cell_tells_why_in_two_lines_and_submits_nothing(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match="Did you mean rate"):
        execute(tmp_path, [SETUP, "%%submit\nprint(ratee)"])
    assert not (tmp_path / ".amlnb").exists()
    notebook = nbformat.read(tmp_path / "out.ipynb", 4)
    error = next(
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "error"
    )
    assert len(error.traceback) == 2


@quiet
def test_what_else_the_line_says_is_obeyed(tmp_path):
    (tmp_path / "own.py").write_text("import helper\n\ndef double(x):\n    return helper.TWO * x\n")
    (tmp_path / "helper.py").write_text("TWO = 2\n")
    (tmp_path / "data.txt").write_text("linked")
    notebook = execute(
        tmp_path,
        [
            SETUP + "import own\nfrom own import double\n" + LOG_OF,
            "%%submit --dry-run\nprint(double(rate))",
            "%%submit --help\npass",
            "%%submit named --param rate=0.25 --no-block --as quick\nprint(double(rate), open('data.txt').read())",
            "quick.wait_for_completion()\nprint(quick.display_name, quick.experiment.name)\nprint(log_of(quick))",
            "%%submit --timeout 1s\ntime.sleep(60)",
            "print(_.get_status())",
        ],
    )
    dry, helped, queued, waited, _, limited = (text_of(cell) for cell in notebook.cells[1:])
    assert "from own import double" in dry
    assert "helper.py (" in dry
    assert "--experiment" in helped
    assert "is queued" in queued
    assert waited.startswith("named ")
    assert "0.5 linked" in waited
    assert limited == "Canceled\n"


@quiet
def test_the_first_tutorial_runs_from_start_to_end(tmp_path):
    source, executed = os.path.join(REPOSITORY, "notebooks", "01-first-run.ipynb"), tmp_path / "out.ipynb"
    papermill.execute_notebook(source, str(executed), cwd=str(tmp_path), progress_bar=False)
    notebook = nbformat.read(executed, 4)
    text = "".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    assert text.count(" Completed\n") == 3
    assert int(re.search(r"(\d+) of 450 unseen digits", text).group(1)) > 420
    tables = "".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))
    assert tables.count("too careful") > 3


@quiet
def test_the_second_tutorial_runs_from_start_to_end(tmp_path):
    source, executed = os.path.join(REPOSITORY, "notebooks", "02-submit.ipynb"), tmp_path / "out.ipynb"
    papermill.execute_notebook(source, str(executed), cwd=str(tmp_path), progress_bar=False)
    notebook = nbformat.read(executed, 4)
    text = "".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    for part in ("# %% The cell", "not run again", "too bold Failed", "line 8 of the cell: raise Float", "train.ipynb"):
        assert part in text
    assert "outputs/train.output.ipynb" in str(notebook.cells)


@quiet
def test_the_third_tutorial_runs_from_start_to_end(tmp_path, monkeypatch):
    # Its cells call `amlnb` as a terminal does, in which the environment is active.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    source, executed = os.path.join(REPOSITORY, "notebooks", "03-environments.ipynb"), tmp_path / "out.ipynb"
    papermill.execute_notebook(source, str(executed), cwd=str(tmp_path), progress_bar=False)
    notebook = nbformat.read(executed, 4)
    text = "".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    for part in (
        "scikit-learn 1.5.2: 9",  # what the cell gave back
        "resolving 1 requirement for Python",  # the build's log
        "note: pytorch is torch on PyPI",
        "- scikit-learn==0.22.1.* cannot be met",
        "Chainer there and NumPy 2",
        "here agree on 100.0% of the digits",
        "requirements.txt",  # the list of environments
        "nothing changed: ",
        "hint: --env tqdm,pyyaml",
    ):
        assert part in text
    logs = str(notebook.cells)
    for part in ("scikit-learn 1.5.2, NumPy 2", "It took 1.2 billion steps", "Chainer 7.8.1, NumPy 1.23.5", "1.5.2 1"):
        assert part in logs


def test_the_tutorials_are_committed_without_results_and_name_no_machine():
    folder = os.path.join(REPOSITORY, "notebooks")
    for name in os.listdir(folder):
        if name.endswith(".ipynb"):
            notebook = nbformat.read(os.path.join(folder, name), 4)
            nbformat.validate(notebook)
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            assert all(not cell.outputs and cell.execution_count is None for cell in code)
