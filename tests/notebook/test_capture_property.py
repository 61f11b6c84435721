"""Generated notebooks: a cell prints the same there, by ``exec``, and as a script in another process."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlnb.notebook.capture import capture
from amlnb.notebook.cell import CellException
from amlnb.notebook.kernel_namespace import KernelNamespace

NAMES = ["a", "b", "c", "d", "e", "list"]
# X is bound; Y and Z are read; N is a number.
TEMPLATES = [
    "X = N",
    "X = [N, Y]",
    "X = Y",
    "X = {'k': Y, N: [Z]}",
    "X = (Y, {N})",
    "X = [Y for Z in range(2)]",
    "X = [[i, Y] for i in range(N) if i != Z]",
    "X = lambda q=Y: [q, Z]",
    "X = [lambda: Y, Z]",
    "X = Y()",
    "X = Y.k",
    "X = Y.m",
    "X = Y[0]",
    "X = f'{Y!s:.5}'",
    "X += N",
    "Y.append(N)",
    "Y.k = N",
    "Y.fresh = [Z]",
    "del X",
    "if Y:\n    X = N\nelse:\n    Z = N",
    "for X in [N, Y]:\n    Z = X",
    "while True:\n    X = Y\n    break",
    "try:\n    X = Y.k\nexcept Exception as Z:\n    X = N",
    "with nullcontext(Y) as X:\n    Z = N",
    "match Y:\n    case [X, *_]:\n        pass\n    case X:\n        Z = N",
    "(X := [Y, Z])",
    "def X(p=Y):\n    return [p, Z]",
    "def X():\n    return Y",
    "def X():\n    global Y\n    Y = N\n    return Z",
    "def X():\n    global Y\n    Y += N\n    return Y",
    "def X():\n    def inner():\n        return [Y, Z]\n    return inner",
    "def X(n=N):\n    def inner():\n        nonlocal n\n        n += 1\n        return n\n    return inner",
    "def X(*fn):\n    def w(*a):\n        return ['w', N, Y, *[f(*a) for f in fn]]\n    return w",
    "@Y\ndef X(*a):\n    return [N, Z]",
    "class X:\n    k = N\n    def m(self):\n        return [self.k, Y]",
    "class X:\n    k = Y\n    def __init__(self, *a):\n        self.z = [Z]",
    "class X(Y):\n    def m(self):\n        return ['sub', N]",
    "class X(Y):\n    k = N",
    "@dataclass\nclass X:\n    k: int = N\n    z: list = field(default_factory=lambda: [Y])",
    "X = partial(Y, N)",
    "from math import floor as X",
    "X = P(N, Y)",
    "X = np.arange(3) + N",
    "Y[0] = N",
]
SETUP = (
    "import numpy as np\nfrom contextlib import nullcontext\nfrom dataclasses import dataclass, field\n"
    "from functools import partial\nfrom collections import namedtuple\nP = namedtuple('P', 'k z')"
)
# Shows a value without its address; what is called may raise anything, or change what comes after it.
SHOW = """
def show(v, depth=0):
    if depth > 3:
        return '...'
    try:
        if isinstance(v, (type([]), tuple)):
            return type(v).__name__, [show(i, depth + 1) for i in v[:4]]
        if isinstance(v, dict):
            return [(str(k), show(i, depth + 1)) for k, i in v.items()]
        if isinstance(v, type):
            return v.__name__, [b.__name__ for b in v.__mro__], show(getattr(v, 'k', None), depth + 1)
        if callable(v):
            return type(v).__name__, show(v(), depth + 1)
        if hasattr(v, '__dict__'):
            return type(v).__name__, show(vars(v), depth + 1), show(getattr(v, 'm', None), depth + 1)
        return type(v).__name__, str(v)
    except Exception as e:
        return type(e).__name__
"""


@st.composite
def statements(draw, most):
    lines = []
    for _ in range(draw(st.integers(1, most))):
        text = draw(st.sampled_from(TEMPLATES))
        for hole in "XYZ":
            text = text.replace(hole, draw(st.sampled_from(NAMES)))
        lines.append(text.replace("N", str(draw(st.integers(0, 3)))))
    return "\n".join(lines)


def result_of(text):
    """What was printed, and the name of the error that ended it."""
    printed, found, rest = text.partition("Traceback (most recent call last):\n")
    return printed, rest.strip().splitlines()[-1].partition(":")[0].rpartition(".")[2] if found else None


def run_here(shell, cell):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(cell, "<cell>", "exec", dont_inherit=True), shell.user_ns)
        except Exception as error:
            return out.getvalue(), type(error).__name__
    return out.getvalue(), None


def check(shell, empty, run_to_end, cells, cell):
    empty()
    shell.run_cell(SETUP, store_history=True).raise_error()
    with contextlib.redirect_stdout(io.StringIO()):
        for text in cells:
            shell.run_cell(text, store_history=True)  # a cell may fail half-way, as a person's may
    cell = SHOW + cell + f"\nfor name in {NAMES}:\n    print(name, show(globals().get(name)))\n"
    try:
        found = capture(cell, KernelNamespace.of_shell(shell), title="t", take=[n for n in NAMES if n in shell.user_ns])
    except CellException as error:
        if "not defined" not in str(error) and "cannot be defined without it" not in str(error):
            raise
        return
    there = result_of(run_to_end(found))
    assert there == run_here(shell, cell), "\n# ---\n".join([*cells, cell, found.script])


@pytest.mark.slow
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cells=st.lists(statements(4), min_size=1, max_size=4), cell=statements(4))
def test_a_generated_cell_prints_the_same_as_a_script(cells, cell, shell, empty, run_to_end):
    check(shell, empty, run_to_end, cells, cell)


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cells=st.lists(statements(4), min_size=1, max_size=3), cell=statements(3))
def test_a_few_generated_cells_print_the_same_as_scripts(cells, cell, shell, empty, run_to_end):
    check(shell, empty, run_to_end, cells, cell)
