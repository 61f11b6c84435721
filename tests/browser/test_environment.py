"""What a person sees below a cell whose environment is being built."""

import os

import pytest

from tests.environments.package_files import BACKEND, make_sdist, make_wheel

from .test_submit import reader_of, until_sealed

pytestmark = pytest.mark.browser

# Builds once a file lies beside it.
WAIT = """    import os, time
    while not os.path.exists({path!r}):
        time.sleep(0.05)
"""
FIRST = """%load_ext amlnb
import os
os.environ.update(PIP_NO_INDEX="1", PIP_FIND_LINKS={shelf!r}, UV_CACHE_DIR={cache!r})
"""
CELL = """%%submit --env {packages} --experiment {experiment}
import time, amlnb, spam
print("spam", spam.__version__, flush=True)
for step in range(40):
    amlnb.log(step=step, loss=1 / (step + 1))
    time.sleep(0.02)
"""
FAILS = "%%submit --env spam==7.0\nimport spam"


@pytest.fixture
def shelf(tmp_path):
    """A package whose source builds once ``tmp_path/go`` is there."""
    folder = str(tmp_path / "packages")
    make_wheel(folder, "ham", "1.0")
    backend = BACKEND.replace("    with open(", WAIT.format(path=str(tmp_path / "go")) + "    with open(", 1)
    make_sdist(folder, "spam", "1.0", requires=["ham"], backend=backend)
    return folder


# Each theme has a request of its own: the notebooks share a workspace, and so its locks.
@pytest.mark.parametrize(("theme", "packages"), [("JupyterLab Light", "spam"), ("JupyterLab Dark", "spam,ham")])
def test_the_build_is_seen_and_then_the_run(open_notebook, shelf, tmp_path, theme, packages):
    first = FIRST.format(shelf=shelf, cache=str(tmp_path / "uv"))
    name = f"environment-{theme.split()[-1].lower()}"
    notebook = open_notebook(name, [first, CELL.format(experiment=name, packages=packages), FAILS], theme)
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.wait_state(1, "Preparing")
    notebook.page.wait_for_function("() => document.body.innerText.includes('resolving ')")
    picture(notebook, name, "preparing")
    (tmp_path / "go").touch()
    notebook.wait_state(1, "Completed")
    until_sealed(reader_of(notebook, 1))
    picture(notebook, name, "completed")
    told = "".join(output["data"].get("text/html", "") for output in notebook.outputs(1) if "data" in output)
    assert "spam 1.0" in told
    assert "resolving" not in told
    notebook.run_cell(2)
    notebook.wait_state(2, "Failed")
    picture(notebook, name, "failed")
    told = "".join(output["data"].get("text/html", "") for output in notebook.outputs(2) if "data" in output)
    assert "no version of spam==7.0" in " ".join(told.split())


def picture(notebook, name, what):
    """Keep a picture where the person who runs the tests asks for one."""
    folder = os.environ.get("TEST_PICTURES")
    if folder:
        notebook.page.wait_for_timeout(700)
        notebook.page.screenshot(path=os.path.join(folder, f"{name}-{what}.png"))
