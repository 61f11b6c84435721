"""Cells that Python, or a run, cannot do anything with: told with the line; and large ones, which are no trouble."""

import pytest

from amlnb.notebook.capture import capture
from amlnb.notebook.cell import CellException

REFUSED = {
    "magic": ("x = 1\n%timeit x", "Line 3 of the cell is IPython's, not Python's, .*: %timeit x"),
    "cell magic": ("%%bash\nls", "Line 2 of the cell is IPython's"),
    "indented magic": ("if 1:\n    %cd x", "Line 3 of the cell is IPython's"),
    "command": ("!pip install x", "Line 2 of the cell is IPython's"),
    "command in a branch": ("for i in x:\n    !ls {i}", "Line 3 of the cell is IPython's"),
    "assigned command": ("a, b = !ls", "Line 2 of the cell is IPython's"),
    "assigned magic": ("t = %time x", "Line 2 of the cell is IPython's"),
    "help": ("str.join?", "Line 2 of the cell asks IPython for help, .*: str.join?"),
    "help before": ("?str", "Line 2 of the cell asks IPython for help"),
    "source": ("f??", "Line 2 of the cell asks IPython for help"),
    "several": ("%a\nx = 1\n!b\n%c\n!d\n%e", "Lines 2, 4, 5, 6 and 1 more of the cell are IPython's"),
    "await": ("x = 1\ny = await f()", r"Line 3 of the cell awaits at top level, .*: y = await f\(\)"),
    "async for": ("async for x in y: pass", "Line 2 of the cell awaits at top level"),
    "async with": ("\nasync with x: pass", "Line 3 of the cell awaits at top level"),
    "await in a class": ("class A:\n    x = await f()", "Line 3 of the cell awaits at top level"),
    "return": ("return 1", "Line 2 of the cell is not valid Python .*return"),
    "yield": ("x = 1\nyield x", "Line 3 of the cell is not valid Python .*yield"),
    "break": ("break", "Line 2 of the cell is not valid Python .*loop"),
    "open bracket": ("x = (1,\ny = 2", "of the cell is not valid Python"),
    "open text": ("x = '''a\nb", "of the cell is not valid Python .*unterminated"),
    "a text like a magic is none": ("x = '''\n%d items\n'''\ny = = 2", "Line 5 of the cell is not valid Python"),
    "mixed tabs": ("if 1:\n\tx\n        y", "of the cell is not valid Python"),
    "print statement": ("print 'a'", "Line 2 of the cell is not valid Python"),
    "late future": ("x = 1\nfrom __future__ import annotations", "Line 3 of the cell is not valid Python"),
    "unknown future": ("from __future__ import nothing", "Line 2 of the cell is not valid Python"),
    "null": ("x = 'a\0b'", "NUL character"),
    "surrogate": ("x = 1\ny = '\ud800'", "Line 3 of the cell holds half of a character"),
    "only comments": ("# a\n\n# b", "no code to run"),
    "only blanks": ("  \n\t\n", "no code to run"),
    "many brackets": ("x = " + "(" * 5000 + ")" * 5000, "nested too|too many nested"),
    "many signs": ("x = " + "-" * 100_000 + "1", "nested too deeply"),
    "kernel": ("get_ipython().run_line_magic('ls', '')", "belongs to the notebook's kernel"),
    "outputs": ("print(Out[1])", "belongs to the notebook's kernel"),
    "command in a function of the notebook": ("listed()", "get_ipython .IPython, through listed.: it belongs to the notebook's kernel"),
    "several names that are not there": ("nowhere + never", "uses never, which is not defined in this notebook. Nor is nowhere."),
    "global at top level": ("y = 1\nglobal x\nx += 1", "Line 3 of the cell declares what is global already: global x"),
    "last output": ("print(_, 1)", "_ .IPython.: it is what the notebook's kernel keeps of a cell"),
    "an output by its number": ("print(_12)", "_12 .IPython.: it is what the notebook's kernel keeps of a cell"),
    "loader's name": ("captured_values = 1\nprint(d)", "The name captured_values is taken"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_run_can_do_is_refused_with_the_line(case, notebook):
    cell, message = REFUSED[case]
    namespace = notebook("x = 1\nimport datetime\nd = datetime.datetime(2020, 1, 1)\ndef listed():\n    !ls")
    with pytest.raises(CellException, match=message) as caught:
        capture(cell, namespace, title="t")
    assert caught.value.hint


LARGE = {
    "many lines": "x = rate\n" * 110_000,
    "many functions": "".join(f"def f{i}(x):\n    return x * rate + {i}\n" for i in range(8000)),
    "many comprehensions": "y = [i * rate for i in range(3)]\n" * 10_000,
    "a long list": "x = [" + "rate, " * 150_000 + "]",
    "a long text": "x = '" + "a" * 1_000_000 + "'\nprint(rate)",
    "a text of many lines": "x = '''" + "%d !x\n" * 150_000 + "'''\nprint(rate)",
    "a long dict": "x = {" + "".join(f"'key{i}': [{i}, rate], " for i in range(40_000)) + "}",
    "a long lambda": "f = lambda: [" + "rate, " * 100_000 + "]",
    "a long chain of branches": "if rate == 0:\n    x = 0\n" + "".join(f"elif rate == {i}:\n    x = {i}\n" for i in range(900)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE)
def test_a_large_cell_is_captured(case, notebook):
    found = capture(LARGE[case], notebook("rate = 1"), title="t")
    assert [value.name for value in found.values] == ["rate"]


@pytest.mark.parametrize("cell", ["print('\\d', rate)", "print(rate is 1)"])
def test_a_doubtful_cell_is_warned_of_by_the_run_and_not_by_its_capture(cell, notebook):
    assert capture(cell, notebook("rate = 1"), title="t").values


def test_definitions_with_doubtful_escapes_are_taken(notebook, shell):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        namespace = notebook("def f():\n    return '\\d'")
    assert "return '\\d'" in capture("f()", namespace, title="t").script
