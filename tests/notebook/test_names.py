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
    "class shadows outer": ("class C:\n    rate = rate", "rate", "", ""),
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
    "for else with break": ("for i in a:\n    if i: break\nelse:\n    x = 1\nx", "a", "", "x"),
    "for else without break": ("for i in a:\n    pass\nelse:\n    x = 1\nx", "a", "", ""),
    "while walrus": ("while (line := read()):\n    pass\nline", "read", "", ""),
    "loop variable afterwards": ("for i in a:\n    pass\ni", "a", "", "i"),
    "class name used below": ("class C:\n    n = 1\n    m = n * k", "k", "", ""),
    "class name on some path": ("class C:\n    if a:\n        n = 1\n    m = n", "a", "", "n"),
    "class names are not its methods'": ("class C:\n    n = 1\n    def f(self):\n        return n", "", "n", ""),
    "class augments an outer name": ("class C:\n    n += 1", "n", "", ""),
    "global deleted in a function": ("def f():\n    global n\n    del n", "", "", "n"),
    "private names are mangled": ("class C:\n    def f(self):\n        return __x", "", "_C__x", ""),
    "keywords and metaclass": ("class C(metaclass=M, key=k): ...", "M k", "", ""),
    "method default": ("class C:\n    def f(self, x=d): ...", "d", "", ""),
    "property and its setter": (
        "class C:\n    @property\n    def a(self): return b\n    @a.setter\n    def a(self, v): ...",
        "property",
        "b",
        "",
    ),
    "nested class": ("class A:\n    class B(C):\n        x = y", "C y", "", ""),
    "function calls before it is bound": ("def f():\n    return k\nf()\nk = 1", "", "", "k"),
    "function calls after it is bound": ("def f():\n    return k\nk = 1\nf()", "", "", ""),
    "call through another": ("def f():\n    return k\ndef g():\n    return f()\ng()\nk = 1", "", "", "k"),
    "call through an alias": ("def f():\n    return k\ng = f\ng()\nk = 1", "", "", "k"),
    "plain lines before it is bound": ("def f():\n    return k\na = b + 1\nk = 1\nf()", "b", "", ""),
    "decorated function may run at once": ("@dec\ndef f():\n    return k\nk = 1", "dec", "", "k"),
    "instance made before": ("class A:\n    def m(self): return k\na = A()\nk = 1", "", "", "k"),
    "deleted before the call": ("def f():\n    return k\nk = 1\ndel k\nf()", "", "", "k"),
    "lambda default": ("f = lambda a=b, *c, d=e, **g: a", "b e", "", ""),
    "lambda before its helper": ("f = lambda: g()\ndef g(): ...\nf()", "", "", ""),
    "lambda called before its helper": ("f = lambda: g()\nf()\ndef g(): ...", "", "", "g"),
    "lambda given away": ("run(lambda: k)\nk = 1", "run", "", "k"),
    "nonlocal": ("def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = b\n    g()", "", "b", ""),
    "global read and set": ("def f():\n    global n\n    n += step", "", "step", "n"),
    "global in a class": ("class C:\n    global n\n    n = v", "v", "", ""),
    "async comprehension in a function": ("async def f():\n    return [x + k async for x in it()]", "", "k it", ""),
    "generator expression's first iterable": ("g = (x + k for x in xs)", "k xs", "", ""),
    "comprehension shadows": ("x = 1\n[x for x in ys]\nx", "ys", "", ""),
    "nested comprehension reads the outer variable": ("[[i for i in row] for row in rows]", "rows", "", ""),
    "lambda in a comprehension": ("[lambda: i + k for i in r]", "r", "k", ""),
    "format specification": ("f'{x:{w}.{p}}'", "x w p", "", ""),
    "f-string with its own comprehension": ("f'{[a for a in b]}'", "b", "", ""),
    "nested f-strings": ("f'{f\"{a}\"}'", "a", "", ""),
    "match mapping": ("match c:\n    case {K.a: v, **rest}:\n        v, rest", "c K", "", ""),
    "match that always matches": ("match c:\n    case 1:\n        a = 1\n    case _:\n        a = 2\na", "c", "", ""),
    "match that may not match": ("match c:\n    case 1:\n        a = 1\na", "c", "", "a"),
    "match capture": ("match c:\n    case x if x > k:\n        x", "c k", "", ""),
    "match binds by name": ("match c:\n    case [a, (b, *d)] | {'k': (a, (b, *d))}:\n        a, b, d", "c", "", ""),
    "try star": ("try:\n    f()\nexcept* E as g:\n    g", "f E", "", ""),
    "try finally": ("try:\n    a = f()\nfinally:\n    b = 1\na, b", "f", "", ""),
    "finally reads what may be unbound": ("try:\n    a = f()\nfinally:\n    a", "f", "", "a"),
    "except that leaves": ("try:\n    a = f()\nexcept E:\n    raise\na", "f E", "", ""),
    "exception's name ends with its block": ("try:\n    pass\nexcept E as e:\n    pass\ne", "E", "", "e"),
    "import that may fail": ("try:\n    import x\nexcept ImportError:\n    x = None\nx", "ImportError", "", ""),
    "suppressed": ("with suppress(E):\n    import x\nx", "suppress E", "", "x"),
    "with binds": ("with o() as (a, b[i]):\n    c = a\nc", "o b i", "", ""),
    "branch that leaves": ("for i in r:\n    if i:\n        continue\n    else:\n        a = 1\n    a", "r", "", ""),
    "deleted twice": ("del a, (b, c[d])", "a b c d", "", ""),
    "slice with a lambda": ("x[(lambda: a)():b] = v", "x b v", "a", ""),
    "slice read": ("x[a:b:c, ...]", "x a b c", "", ""),
    "unpacking": ("[a, *b], c.d = e\n(f, g) = a", "c e", "", ""),
    "chained": ("a = b = c = d", "d", "", ""),
    "annotation alone": ("x: T\nx", "T x", "", ""),
    "annotation of an attribute": ("x.y: T", "x T", "", ""),
    "text annotation": ("def f(a: 'T') -> 'R': ...", "", "", ""),
    "class annotation": ("class C:\n    a: T = v\n    b: S", "T v S", "", ""),
    "conditional": ("a if b else c", "a b c", "", ""),
    "short circuit walrus": ("if a and (b := c):\n    b", "a c", "", ""),
    "yield from": ("def f():\n    yield from a\n    x = yield b", "", "a b", ""),
    "assert and raise": ("assert a, b\nraise c from d", "a b c d", "", ""),
    "semicolons": ("a = 1; b = a; c", "c", "", ""),
    "form feed in a string": ("x = 'a\fb'\ndef f():\n    return y", "", "y", ""),
    "separator of Unicode in a string": ("x = 'a\u2028b\x1c'\ndef f():\n    return y", "", "y", ""),
    "carriage returns": ("x = 1\r\ndef f():\r\n    return y\r\n", "", "y", ""),
    "wide characters": ("π = 'ü'; g = (lambda é: é + ñ)", "", "ñ", ""),
    "names are normalized": ("ﬁ = 1\nfi", "", "", ""),
    "text over many lines": ('def f():\n    return """\nx\n""" + k\n', "", "k", ""),
    "definition in a branch": ("if a:\n    def f():\n        return b\nelse:\n    def f():\n        return c", "a", "b c", ""),
    "comment in brackets": ("x = [a  # (\n for a in b]", "b", "", ""),
    "continued line": ("x = a + \\\n    (lambda: b)()", "a", "b", ""),
    "shadowed builtin": ("list = [1]\nlist", "", "", ""),
    "builtin before it is shadowed": ("list = list(a)", "list a", "", ""),
    "star arguments": ("f(*a, **b, c=d)", "f a b d", "", ""),
    "augmented attribute": ("a.b[c] += d", "a c d", "", ""),
    "dunder names": ("__name__, __file__, __doc__", "__name__ __file__ __doc__", "", ""),
    "class cell in a nested function": ("class C:\n    def f(self):\n        return [super().f() for _ in r]", "", "super r", ""),
}
NEWER = {
    "generic function": ("def f[T: B](x: T) -> L[T]:\n    return k", "L", "B k", ""),
    "generic class": ("class C[T](G[T]):\n    a: T\n    def m(self) -> T: return k", "G", "k", ""),
    "type alias": ("type A[T] = D[T, B]", "", "D B", ""),
    "quotes inside an f-string": ("f'{a['b']}'", "a", "", ""),
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
    cases = {**CASES, **NEWER}
    sources = json.dumps([case[0] for case in cases.values()])
    command = [python, "-B", "-c", PROGRAM]
    done = subprocess.run(command, input=sources, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    found = dict(zip(cases, json.loads(done.stdout), strict=True))
    assert found == {name: [sorted(words(text)) for text in case[1:]] for name, case in cases.items()}
