from amlnb.api.cell_code import without_values
from amlnb.notebook.script import write
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, ValueSymbol

DEFINITION = DefinitionSymbol("f", "def f(x):\n    y = x\n\n    return y * rate\n")


def script(rate, given=(), results=(), cell="f(2)"):
    body = [DEFINITION, ValueSymbol("rate", repr(rate), "float")]
    body = body[:1] if given else body
    text, _ = write("t", [ImportSymbol("np", "import numpy as np", "numpy")], dict(given), body, cell, results)
    return text.encode()


def test_values_parameters_and_results_are_no_code():
    plain = without_values(script(0.1))
    assert b"0.1" not in plain
    assert b"return y * rate" in plain
    assert without_values(script(0.2)) == plain
    assert without_values(script(0.1, given={"rate": 0.3}.items())) == plain
    assert without_values(script(0.1, results=("rate",))) == plain
    assert without_values(script(0.1, cell="f(3)")) != plain


def test_other_files_are_left_as_they_are():
    assert without_values(b"# Parameters\nrate = 1\n") == b"# Parameters\nrate = 1\n"
