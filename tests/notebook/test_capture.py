import subprocess
import sys

import pytest

from amlnb.notebook.capture import capture
from amlnb.notebook.cell import CellException
from amlnb.notebook.dependencies import Graph, in_order
from amlnb.notebook.local_modules import local_modules
from amlnb.notebook.source_folder import write_source_folder
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, RefusedSymbol, ValueSymbol


class Table:
    """A namespace that is a dict."""

    def __init__(self, **symbols):
        self._symbols = symbols

    def names(self):
        return self._symbols

    def describe(self, name):
        return self._symbols.get(name)


@pytest.fixture
def run_as_script(tmp_path):
    """Run a captured cell in a new interpreter; what it printed."""

    def ran(cell, namespace, **options):
        found = capture(cell, namespace, title="a test", **options)
        write_source_folder(str(tmp_path), "cell.py", found)
        done = subprocess.run([sys.executable, "cell.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, found.script + done.stderr
        return done.stdout

    return ran


PREPARED = """
from dataclasses import dataclass
import functools
import math as m
import os.path
from collections import OrderedDict as Od

import numpy as np
import pandas as pd

factor = 3

def helper(x):
    return x * factor

def outer(x):
    return helper(x) + 1

@functools.lru_cache
def cached(n):
    return 1 if n < 2 else n * cached(n - 1)

@dataclass
class Base:
    size: int = factor

class Child(Base):
    def area(self):
        return outer(self.size)

class Empty:
    pass

def with_default(x, k=m.floor(2.5), *, base=Child):
    return base(x + k).area()

square = lambda v: v * v
alias = outer
partly = functools.partial(outer, 2)
child = Child(4)
text, raw, nothing, number = "a 'b'\\n", b"\\0x", None, 2 + 3j
nested = {"x": [1, (2,), {3}, frozenset()], 5: float("nan"), None: -float("inf")}
long = list(range(2000))
matrix = np.arange(6.0).reshape(2, 3)
scalar = np.float32(1.5)
objects = np.array([1, "x", None], dtype=object)
frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "t": pd.to_datetime(["2020-01-01", "2021-01-01"])}, index=[5, 7])
series = pd.Series([1.5, 2.5], name="s")
categories = pd.Series(["u", "v"], dtype="category")
"""

AWKWARD = {
    "functions call functions": "print(outer(2))",
    "recursive decorated": "print(cached(5))",
    "inheritance and defaults": "print(with_default(1), Child().area(), Base())",
    "class without methods": "print(type(Empty()).__name__)",
    "lambda": "print(square(5))",
    "alias": "print(alias(3), alias is outer)",
    "partial": "print(partly())",
    "instance is of the script's class": "print(isinstance(child, Child), type(child) is Child, child.area())",
    "import alias": "print(m.sqrt(4), os.path.basename('a/b'), Od(a=1))",
    "plain values": "print(repr(text), raw, nothing, number, nested)",
    "long list": "print(len(long), sum(long))",
    "array": "print(matrix.tolist(), matrix.dtype)",
    "numpy scalar": "print(type(scalar).__name__, scalar)",
    "object array": "print(objects.tolist())",
    "frame": "print(frame.to_dict(), frame.dtypes.astype(str).tolist(), frame.index.tolist(), type(frame.index).__name__)",
    "series": "print(series.to_dict(), series.name, type(series.index).__name__)",
    "extension types": "print(categories.tolist(), categories.dtype)",
    "loop and augmented": "total = factor\nfor i in range(3):\n    total += helper(i)\nprint(total)",
    "comprehension": "print([helper(i) for i in range(3) if i != factor], {k: v for k, v in zip('ab', long)})",
    "definition in the cell": "def mine(x):\n    return outer(x) + later\nlater = 5\nprint(mine(1))",
    "shadowed builtin": "print(len(text))",
    "future import": "from __future__ import annotations\ndef f(a: Nowhere) -> Never: return 1\nprint(f(2))",
}


@pytest.mark.parametrize("case", AWKWARD)
def test_a_submitted_cell_prints_what_it_prints_in_the_notebook(case, shell, notebook, run_as_script, capsys):
    namespace = notebook(PREPARED)
    capsys.readouterr()
    submitted = run_as_script(AWKWARD[case], namespace)
    shell.run_cell(AWKWARD[case]).raise_error()
    assert submitted == capsys.readouterr().out


def test_the_definition_that_ran_counts_not_a_later_edit_of_its_name(notebook, run_as_script):
    namespace = notebook("def f():\n    return 'first'", "kept = f", "def f():\n    return 'second'")
    assert run_as_script("print(f())", namespace) == "second\n"
    assert run_as_script("print(kept())", namespace) == "first\n"


def test_a_value_is_taken_as_it_was_at_submission(notebook, run_as_script, tmp_path):
    namespace = notebook("import numpy as np\nv = np.zeros(2)")
    found = capture("print(v)", namespace, title="t")
    write_source_folder(str(tmp_path), "cell.py", found)
    notebook("v += 1")
    done = subprocess.run([sys.executable, "cell.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[0. 0.]\n"


def test_the_script_is_readable_and_the_same_every_time(notebook):
    namespace = notebook("import math\nfrom os import sep", "rate = 0.5\n\ndef f(x):\n    return math.exp(rate) + x\n")
    cell = "for i in range(3):\n    print(f(i), sep)\n"
    found = capture(cell, namespace, title="cell 1")
    assert found.script == (
        '"""cell 1"""\n\nimport math\nfrom os import sep\n\n\ndef f(x):\n    return math.exp(rate) + x\n\n\n'
        "# Values from the notebook, as they were at submission\nrate = 0.5\n\n# %% The cell\n" + cell
    )
    assert found.script.splitlines()[found.cell_line - 1] == "for i in range(3):"
    assert capture(cell, namespace, title="cell 1").script == found.script
    assert found.summary == "2 imports, 1 function, 1 value"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("print(ratee)", r"uses ratee, which is not defined in this notebook\. Did you mean rate\?"),
        ("def f():\n    return nowhere", "uses nowhere, which is not defined"),
        ("x = 1\n!ls", "Line 3 of the cell is IPython's"),
        ("files = !ls", "Line 2 of the cell is IPython's"),
        ("%timeit 3", "Line 2 of the cell is IPython's"),
        ("print?", "Line 2 of the cell asks IPython for help"),
        ("x = 1\nawait f()", "Line 3 of the cell awaits at top level"),
        ("[x async for x in f()]", "Line 2 of the cell awaits at top level"),
        ("return 3", "Line 2 of the cell is not valid Python"),
        ("def", "Line 2 of the cell is not valid Python"),
        ("%cd x\ny = 1\n!ls", "Lines 2, 4 of the cell are IPython's.*: %cd x; !ls"),
        ("# nothing", "no code to run"),
        ("x = 'a\0b'", "NUL character"),
        ("get_ipython()", "get_ipython .* belongs to the notebook's kernel"),
        ("print(going)", r"going \(generator\): it is half-way"),
        ("print(file)", r"file \(_io.TextIOWrapper\): an open file"),
        ("print(lock)", r"lock \(_thread.lock\): threads and locks belong"),
        ("print(huge)", r"huge \(float64 array, 9000000, 72.0 MB\): it is larger than 64.0 MB"),
    ],
)
def test_what_cannot_run_elsewhere_is_refused_by_name_before_submission(cell, message, notebook, tmp_path):
    (tmp_path / "open.txt").write_text("")
    notebook("import threading, numpy as np", "rate = 1\ngoing = (i for i in [])\nlock = threading.Lock()")
    namespace = notebook(f"file = open({str(tmp_path / 'open.txt')!r})", "huge = np.zeros(9_000_000)")
    with pytest.raises(CellException, match=message) as caught:
        capture(cell, namespace, title="t")
    assert caught.value.hint
    notebook("file.close()")


@pytest.mark.slow
def test_a_cell_of_a_megabyte_is_captured(notebook):
    namespace = notebook("rate = 1")
    found = capture("x = rate\n" * 100_000, namespace, title="t")
    assert len(found.values) == 1


def test_parameters_stand_for_the_notebooks_values(notebook, run_as_script):
    namespace = notebook("rate = 1\nname = 'a'")
    assert run_as_script("print(rate, name)", namespace, parameters={"rate": 0.25}) == "0.25 a\n"


@pytest.mark.parametrize(
    ("cell", "message"), [("rate = 2\nprint(rate)", "the cell sets rate itself"), ("print(rat)", "Did you mean rat?")]
)
def test_a_parameter_without_effect_is_refused(cell, message, notebook):
    with pytest.raises(CellException, match=message):
        capture(cell, notebook("rat = 1"), title="t", parameters={"rate": 3})


def test_names_come_from_the_table_alone():
    table = Table(
        np=ImportSymbol("np", "import numpy as np", "numpy"),
        f=DefinitionSymbol("f", "def f(x=k):\n    return g(x)"),
        g=DefinitionSymbol("g", "def g(x):\n    return np.abs(x)"),
        k=ValueSymbol("k", "3", "int"),
        z=RefusedSymbol("z", "socket", "it is a socket", "open it in the cell"),
    )
    found = capture("f()", table, title="t")
    assert [item.name for item in (*found.imports, *found.definitions, *found.values)] == ["np", "g", "f", "k"]
    assert found.script.index("k = 3") < found.script.index("def f")
    with pytest.raises(CellException, match="z"):
        capture("z", table, title="t")


def test_what_runs_during_a_definition_stands_above_it_even_in_a_circle():
    graph = Graph()
    graph.add(DefinitionSymbol("A", "class A(B): ..."), frozenset({"B"}), frozenset())
    graph.add(DefinitionSymbol("B", "class B:\n def m(self): return A"), frozenset(), frozenset({"A"}))
    assert [item.name for item in in_order(graph, ["B"])] == ["B", "A"]


def test_modules_of_the_notebooks_folder_travel_with_what_they_import(tmp_path):
    (tmp_path / "first.py").write_text("import second\nimport json")
    (tmp_path / "second.py").write_text("from pack import part")
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "pack" / "__pycache__").mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "part.py").write_text("")
    (tmp_path / "pack" / "words.txt").write_text("")
    (tmp_path / "pack" / "__pycache__" / "x.pyc").write_text("")
    found = local_modules("def f():\n    import first", str(tmp_path))
    assert list(found) == ["first.py", "pack/__init__.py", "pack/part.py", "pack/words.txt", "second.py"]


def test_a_pickle_of_another_python_is_refused_by_the_variables_name(notebook, tmp_path):
    found = capture("print(p)", notebook("import functools\np = functools.partial(print, 1)"), title="t")
    write_source_folder(str(tmp_path), "cell.py", found)
    entries = tmp_path / "captured_values.d" / "values.json"
    entries.write_text(entries.read_text().replace(f'"{sys.version_info[0]}.{sys.version_info[1]}"', '"3.1"'))
    done = subprocess.run([sys.executable, "cell.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "The value of 'p' was pickled by Python 3.1" in done.stderr


def test_results_are_kept_below_the_cell_whose_lines_stay(notebook):
    namespace = notebook("rate = 1")
    cell = "loss = rate\nmodel = 2"
    plain, found = (capture(cell, namespace, title="t", results=names) for names in ((), ("loss", "model", "rate")))
    assert found.results == ("loss", "model", "rate")
    assert found.needs_loader
    assert not plain.needs_loader
    assert found.script.endswith(
        "\nmodel = 2\n\n# %% Results for the notebook\ncaptured_values.keep(loss=loss, model=model, rate=rate)\n"
    )
    assert "\nimport captured_values\n" in found.script
    assert found.script.splitlines()[found.cell_line - 1] == "loss = rate"


def test_a_result_that_the_cell_does_not_make_is_refused_with_the_near_name(notebook):
    with pytest.raises(CellException, match=r"does not set los, .* Did you mean loss\?"):
        capture("loss = 1", notebook("los = 3"), title="t", results=["los"])


def test_names_are_taken_though_the_cell_hides_that_it_reads_them(notebook, run_as_script):
    namespace = notebook("rate = 2\ndef f():\n    return rate")
    assert run_as_script("print(eval('f()'))", namespace, take=["f"]) == "2\n"
    with pytest.raises(CellException, match=r"ratte was asked to be captured, .* Did you mean rate\?"):
        capture("print(1)", namespace, title="t", take=["ratte"])


def test_with_only_nothing_else_is_captured_and_nothing_undefined(notebook):
    namespace = notebook("a = 1\nb = 2\ndef f():\n    return b + nowhere")
    found = capture("print(a, anything, f)", namespace, title="t", only=True, take=["f"])
    assert [item.name for item in (*found.imports, *found.definitions, *found.values)] == ["f", "b"]
