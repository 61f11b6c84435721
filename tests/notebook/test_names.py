import glob
import json
import os
import subprocess

import pytest

from amlnb.notebook.names import free_names

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# source, names read at once, names read when a function is called, names that may be bound already
CASES = {
    "augmented": ("total += x", "total x", "", ""),
    "own name first": ("x = x + 1", "x", "", ""),
    "bound before": ("x = 1\nprint(x)", "print", "", ""),
    "loop carries over": ("for i in xs:\n    if i:\n        print(p)\n    p = i", "print xs", "", "p"),
    "recursion": ("def fact(n):\n    return n * fact(n - 1) + k", "", "k", ""),
    "comprehension variable": ("[a for a in b if a != c]", "b c", "", ""),
    "nested comprehension": ("[y for x in xs for y in x(z)]", "xs z", "", ""),
    "walrus in comprehension": ("[w for y in ys if (w := y)]\nprint(w)", "print ys", "", "w"),
    "lambda": ("f = lambda a, b=c: a + d", "c", "d", ""),
    "decorator, default, annotation": ("@dec(arg)\ndef f(a: A = D) -> R:\n    return b", "dec arg A D R", "b", ""),
    "closure": ("def outer():\n    inner = 1\n    def g():\n        return inner + up\n    return g", "", "up", ""),
    "class body": ("class C(B):\n    r = q\n    def m(self):\n        return deep", "B q", "deep", ""),
    "class shadows outer": ("class C:\n    rate = rate", "", "", "rate"),
    "f-string": ("f'{a:{b}} {c!r}'", "a b c", "", ""),
    "global assignment": ("def g():\n    global z\n    z = 1\ng()\nprint(z)", "print", "", "z"),
    "delete": ("del q", "q", "", ""),
    "delete what is ours": ("q = 1\ndel q\nprint(p)", "print p", "", ""),
    "branch": ("if a:\n    b = 1\nprint(b)", "a print", "", "b"),
    "both branches": ("if a:\n    b = 1\nelse:\n    b = 2\nprint(b)", "a print", "", ""),
    "try": ("try:\n    a = f()\nexcept E as e:\n    a = e\nprint(a)", "f E print", "", ""),
    "with": ("with o(p) as h, h.x() as (i, j):\n    i(j)", "o p", "", ""),
    "match": ("match c:\n    case P(x=1) | [1, *rest]:\n        rest", "c P", "", ""),
    "subscript target": ("xs[i].y = v", "xs i v", "", ""),
    "imports": ("import a.b, c as d\nfrom e import f as g\na; d; g", "", "", ""),
    "import used in function": ("import json\ndef f():\n    return json", "", "", ""),
    "function before its helper": ("def f():\n    return g()\ndef g():\n    return 1\nf()", "", "", ""),
    "variable annotation": ("x: T = v", "T v", "", ""),
    "lazy annotations": ("from __future__ import annotations\ndef f(a: T) -> R: ...\nx: S = 1", "", "", ""),
    "starred": ("a, *b = c\nprint(*b, **d)", "c print d", "", ""),
    "async function": ("async def f():\n    await g()\n    return [x async for x in h]", "", "g h", ""),
    "dunder class": ("class C:\n    def m(self):\n        return __class__, super()", "", "super", ""),
    "while else": ("while t:\n    x = 1\nelse:\n    y\nx", "t y", "", "x"),
}


def words(text):
    return frozenset(text.split())


@pytest.mark.parametrize("case", CASES)
def test_free_names_of_awkward_code_are_found_exactly(case):
    source, eager, deferred, optional = CASES[case]
    found = free_names(source)
    assert (found.eager, found.deferred, found.optional) == (words(eager), words(deferred), words(optional))


def test_star_imports_are_told_so_that_nothing_is_called_undefined():
    assert free_names("from math import *\nsqrt(2)").stars == ("math",)


OTHERS = sorted(glob.glob(os.path.join(os.environ.get("PYENV_ROOT", ""), "versions", "3.1[2-9].*", "bin", "python")))
PROGRAM = """
import json, sys
from amlnb.notebook.names import free_names
found = [free_names(source) for source in json.load(sys.stdin)]
print(json.dumps([[sorted(f.eager), sorted(f.deferred), sorted(f.optional)] for f in found]))
"""


@pytest.mark.skipif(not OTHERS, reason="no other Python was found: set PYENV_ROOT")
@pytest.mark.parametrize("python", OTHERS, ids=lambda path: path.split(os.sep)[-3])
def test_other_pythons_find_the_same(python):
    sources = json.dumps([case[0] for case in CASES.values()])
    command = [python, "-B", "-c", PROGRAM]
    done = subprocess.run(command, input=sources, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert json.loads(done.stdout) == [[sorted(words(text)) for text in case[1:]] for case in CASES.values()]
