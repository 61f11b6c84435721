"""A notebook's kernel without a kernel, and a quick way to run the scripts of its cells."""

import json
import os
import subprocess
import sys
import tempfile

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from amlnb.notebook.capture import capture
from amlnb.notebook.kernel_namespace import KernelNamespace
from amlnb.notebook.magic import load_ipython_extension
from amlnb.notebook.source_folder import write_source_folder


@pytest.fixture(scope="module")
def shell():
    config = Config()
    config.HistoryManager.enabled = False  # no database; the inputs are still held
    shell = InteractiveShell.instance(config=config)
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def run_cell(shell, empty, tmp_path, monkeypatch, capsys):
    """Run a cell in a folder of the test's own; what it evaluates to, and what it printed."""
    monkeypatch.chdir(tmp_path)
    empty()
    load_ipython_extension(shell)
    capsys.readouterr()

    def ran(text):
        done = shell.run_cell(text, store_history=True)
        printed = capsys.readouterr().out
        done.raise_error()
        return done.result, printed

    return ran


@pytest.fixture
def empty(shell):
    """Empty the notebook, as `shell.reset()` does, which also collects garbage: a third of a second each time."""

    def emptied():
        for name in shell.user_ns.keys() - shell.user_ns_hidden.keys():
            if not name.startswith("__"):
                del shell.user_ns[name]
        shell.user_ns.update(shell.user_ns_hidden)
        shell.history_manager.reset(new_session=False)
        shell.compile.reset_compiler_flags()

    return emptied


@pytest.fixture
def notebook(shell, empty):
    """Run cells as a kernel does; returns the namespace they leave. Starts empty."""
    empty()

    def ran(*cells):
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
        return KernelNamespace.of_shell(shell)

    return ran


@pytest.fixture(scope="session")
def script_worker():
    program = os.path.join(os.path.dirname(__file__), "script_worker.py")
    with subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as worker:
        yield worker
        worker.stdin.close()


@pytest.fixture(scope="session")
def run_to_end(script_worker):
    """Run a captured cell in a process of its own; what it wrote, its traceback too."""

    def ran(found):
        with tempfile.TemporaryDirectory() as folder:
            write_source_folder(folder, "cell.py", found)
            script_worker.stdin.write(json.dumps([folder, "cell.py"]) + "\n")
            script_worker.stdin.flush()
            return json.loads(script_worker.stdout.readline())[0]

    return ran


@pytest.fixture
def run_capture(run_to_end):
    """Run a captured cell that must not fail; what it printed."""

    def ran(found):
        printed = run_to_end(found)
        assert "Traceback (most recent call last)" not in printed, found.script + printed
        return printed

    return ran


@pytest.fixture
def run_quickly(run_capture):
    """Capture a cell, and run its script."""

    def ran(cell, namespace, **options):
        return run_capture(capture(cell, namespace, title="a test", **options))

    return ran
