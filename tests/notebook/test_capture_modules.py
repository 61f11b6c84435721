"""Modules of the notebook's folder: which files travel, and what the kernel has of them that a run will not have."""

import os
import sys

import pytest

from amlnb.notebook import submission
from amlnb.notebook.local_modules import edited_since_import, local_modules
from amlnb.notebook.options import SubmitOptions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A notebook's folder: where the kernel is, and first on its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_edited_since_it_was_imported_is_told(folder, notebook, shell):
    (folder / "nets_edited.py").write_text("rate = 1\n")
    notebook("import nets_edited")
    assert submission.prepare(shell, "print(nets_edited.rate)", SubmitOptions()).warnings == ()
    (folder / "nets_edited.py").write_text("rate = 2 + 0\n")
    (told,) = submission.prepare(shell, "print(nets_edited.rate)", SubmitOptions()).warnings
    assert told == "nets_edited.py was edited since this notebook imported it: the run takes it as it is now"
    notebook("import importlib\nimportlib.reload(nets_edited)")
    assert submission.prepare(shell, "print(nets_edited.rate)", SubmitOptions()).warnings == ()


def test_a_module_of_a_package_is_found_by_its_path(folder, notebook):
    (folder / "pack_edited").mkdir()
    (folder / "pack_edited" / "__init__.py").write_text("from . import part\n")
    (folder / "pack_edited" / "part.py").write_text("rate = 1\n")
    (folder / "never_imported.py").write_text("")
    files = ["pack_edited/__init__.py", "pack_edited/part.py", "pack_edited/data.csv", "never_imported.py"]
    notebook("import pack_edited")
    assert edited_since_import(files, str(folder)) == []
    (folder / "pack_edited" / "part.py").write_text("rate = 22\n")
    assert edited_since_import(files, str(folder)) == ["pack_edited/part.py"]


def test_what_cells_set_in_modules_is_told_if_the_cell_uses_them(folder, notebook, shell):
    (folder / "config_set.py").write_text("rate = 1\n")
    notebook("import config_set, random, numpy as np\nconfig_set.rate = 2\nnp.random.seed(3)\nrandom.seed(4)")
    (told,) = submission.prepare(shell, "print(config_set.rate, np.random.rand())", SubmitOptions()).warnings
    assert "config_set.rate, np.random.seed(...), and the run begins without" in told
    assert submission.prepare(shell, "np.random.seed(5)\nprint(np.pi)", SubmitOptions()).warnings == ()
    assert submission.prepare(shell, "print(1)", SubmitOptions()).warnings == ()


def test_a_package_without_init_travels_with_what_is_below_it(folder):
    (folder / "space" / "inner").mkdir(parents=True)
    (folder / "space" / "inner" / "m.py").write_text("")
    (folder / "json" / "deep").mkdir(parents=True)
    (folder / "json" / "deep" / "x.py").write_text("")
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("")
    found = local_modules("import space.inner.m, json, data", str(folder))
    assert list(found) == [os.path.join("space", "inner", "m.py")]


def test_what_cells_set_in_a_logger_is_told(folder, notebook, shell):
    notebook("import logging\nlog = logging.getLogger('of_a_test')\nlog.setLevel('DEBUG')")
    (told,) = submission.prepare(shell, "log.debug('x')", SubmitOptions()).warnings
    assert "set log.setLevel(...), and the run begins without" in told
