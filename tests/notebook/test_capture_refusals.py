"""What cannot travel is refused by name, type and size, with what to do."""

import re

import pytest

from amlnb.notebook.capture import capture
from amlnb.notebook.cell import CellException
from amlnb.notebook.symbols import RefusedSymbol, StoredValue, ValueSymbol

# What the notebook does, the variable, what is said of it, and a word of what to do.
REFUSED = {
    "open file": ("x = open('/dev/null')", r"x \(_io.TextIOWrapper\): an open file belongs", "open it inside"),
    "binary file": ("x = open('/dev/null', 'rb')", r"an open file belongs", "open it inside"),
    "temporary file": ("import tempfile\nx = tempfile.NamedTemporaryFile()", "an open file belongs", "open it inside"),
    "archive": ("import zipfile, io\nx = zipfile.ZipFile(io.BytesIO(), 'w')", "an open file belongs", "open it inside"),
    "generator": ("x = (i for i in [])", r"x \(generator\): it is half-way", "list"),
    "generator of a function": ("def g(): yield 1\nx = g()", "it is half-way", "list"),
    "async generator": ("async def g(): yield 1\nx = g()", "it is half-way", "list"),
    "coroutine": ("async def g(): ...\nx = g()", "waits in this kernel's event loop", "asyncio.run"),
    "event loop": ("import asyncio\nx = asyncio.new_event_loop()", "event loop", "asyncio.run"),
    "thread": ("import threading\nx = threading.Thread()", "threads and locks belong", "inside the cell"),
    "lock": ("import threading\nx = threading.Lock()", "threads and locks belong", "inside the cell"),
    "event": ("import threading\nx = threading.Event()", "threads and locks belong", "inside the cell"),
    "thread's own": ("import threading\nx = threading.local()", "threads and locks belong", "inside the cell"),
    "queue": ("import queue\nx = queue.Queue()", "threads and locks belong", "inside the cell"),
    "executor": ("from concurrent.futures import ThreadPoolExecutor\nx = ThreadPoolExecutor(1)", "its workers belong", "inside the cell"),
    "process": ("import multiprocessing\nx = multiprocessing.Process()", "a child of this kernel", "start it inside"),
    "program": ("import subprocess\nx = subprocess.Popen(['true'])\nx.wait()", "a child of this kernel", "start it inside"),
    "socket": ("import socket\nx = socket.socket()", "a network connection ends", "connect inside"),
    "http connection": ("import http.client\nx = http.client.HTTPConnection('localhost')", "a network connection ends", "connect inside"),
    "zmq": ("import zmq\nx = zmq.Context()", "a network connection ends", "connect inside"),
    "sqlite": ("import sqlite3\nx = sqlite3.connect(':memory:')", r"x \(sqlite3.Connection\): a database connection", "connect inside"),
    "sqlite cursor": ("import sqlite3\nc = sqlite3.connect(':memory:')\nx = c.cursor()", "a database connection", "connect inside"),
    "database by its manners": ("class Session:\n    def execute(self): ...\n    def commit(self): ...\n    def close(self): ...\nx = Session()", "a database connection", "connect inside"),
    "gpu tensor": ("class Tensor:\n    is_cuda = True\n    shape, dtype = (2, 3), 'float32'\nx = Tensor()", r"x \(float32 Tensor, 2 x 3\): it lives in this process's GPU", "x.cpu"),
    "tensor on metal": ("class Device:\n    type = 'mps'\nclass Tensor:\n    device, dtype = Device(), 'f4'\n    def cpu(self): ...\nx = Tensor()", "GPU memory", "x.cpu"),
    "model on the gpu": ("class T:\n    is_cuda = True\nclass Net:\n    def parameters(self): return [T()]\n    def state_dict(self): ...\nx = Net()", "its parameters live in this process's GPU", "model.cpu"),
    "gpu tensor inside": ("class T:\n    is_cuda = True\nx = {'a': [1, T()]}", r"x\['a'\]\[1\] is a GPU tensor", "leave x"),
    "widget": ("class Widget:\n    __module__ = 'ipywidgets.widgets.widget'\nclass Slider(Widget): ...\nx = Slider()", "a widget is drawn by this kernel", "widget.value"),
    "kernel": ("x = get_ipython()", r"a run has no kernel", "leave it out"),
    "run": ("class Run:\n    __module__ = 'amlnb.api.run'\nx = Run()", "something of this notebook", "get_context"),
    "memory view": ("x = memoryview(b'abc')", "shows memory of this process", "bytes"),
    "memory map": ("import mmap\nx = mmap.mmap(-1, 10)", "shows memory of this process", "bytes"),
    "library": ("import ctypes\nx = ctypes.CDLL(None)", "shows memory of this process", "bytes"),
    "weak reference": ("import weakref\nclass A: ...\na = A()\nx = weakref.ref(a)", "refers to an object of this process", "the object itself"),
    "traceback": ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    x = e.__traceback__", "this process's stack", "format_exc"),
    "frame": ("import sys\nx = sys._getframe()", "this process's stack", "format_exc"),
    "progress bar": ("from tqdm import tqdm\nx = tqdm([1], disable=True)", "writes to this kernel's output", "inside the cell"),
    "log handler": ("import logging\nx = logging.StreamHandler()", "a stream of this process", "set logging up"),
    "file deep inside": ("class A: ...\nx = A()\nx.cache = {'f': [open('/dev/null')]}", r"x\.cache\['f'\]\[0\] is an open file", "leave x.cache"),
    "file in a slot": ("class A:\n    __slots__ = 'f'\nx = A()\nx.f = open('/dev/null')", r"x\.f is an open file", "leave x.f"),
    "lock in an object": ("import threading\nclass A:\n    def __init__(self): self.lock = threading.Lock()\nx = A()", r"x\.lock is a thread or lock", "leave x.lock"),
    "connection in a closure": ("import sqlite3\ndef make():\n    c = sqlite3.connect(':memory:')\n    def ask(): return c\n    return ask\nx = make()", r"c in x is a database connection", "leave c in x"),
    "lock in a partial": ("import functools, threading\nx = functools.partial(print, threading.Lock())", r"x\.args\[0\] is a thread or lock", "leave x.args"),
    "lock behind a bound method": ("import threading\nclass A:\n    def __init__(self): self.lock = threading.Lock()\n    def f(self): ...\nx = A().f", r"x\.__self__\.lock is a thread", "leave x"),
    "no pickle": ("class A:\n    def __reduce__(self): raise ValueError('never mind')\nx = A()", r"x \(A\): it cannot be pickled \(never mind\)", "make x inside"),
    "no pickle and no word": ("class A:\n    def __reduce__(self): raise ValueError\nx = A()", r"cannot be pickled \(ValueError\)", "make x inside"),
    "too deep": ("x = []\nfor _ in range(100_000): x = [x]", "nested too deeply to be pickled", "save it to a file"),
    "too large": ("import numpy as np\nx = np.zeros((3000, 3000))", r"x \(float64 array, 3000 x 3000, 72.0 MB\): it is larger than 64.0 MB", "save x to a file.*--with"),
    "text too large": ("x = 'a' * 70_000_000", r"x \(str of 70000000, 70.0 MB\): it is larger", "save x to a file"),
    "frame too large": ("import numpy as np, pandas as pd\nx = pd.DataFrame(np.zeros((1_000_000, 9)))", r"72.0 MB\): it is larger|80.0 MB\): it is larger", "save x to a file"),
    "object too large": ("class A: ...\nx = A()\nx.a = bytes(70_000_000)", r"x \(A, 70.0 MB\): it is larger", "save x to a file"),
    "two that are too large together": ("class A: ...\nx = A()\nx.a = bytes(40_000_000)\ny = [x, bytes(40_000_000)]", "80.0 MB.*larger", "save"),
    "registry object that its own entries fill": ("class Registry:\n    def __init__(self): self.d = {}\n    def add(self, c):\n        self.d[c.__name__] = c\n        return c\nx = Registry()\n@x.add\nclass A: ...", r"x \(Registry\): it holds A, which cannot be defined without it", "module beside"),
    "method put in by a lambda": ("class x: ...\nx.f = lambda self: 1", r"x \(class x\): its f was put in later", "define it in the class"),
    "module that was loaded by hand": ("import types\nx = types.ModuleType('x')", r"x \(module x\): it was made or loaded", "beside the notebook"),
    "the notebook itself": ("import sys\nx = sys.modules['__main__']", "it is the notebook itself", "directly"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # fmt: skip
def test_what_cannot_travel_is_refused_with_what_to_do(case, notebook, shell):
    cells, message, hint = REFUSED[case]
    namespace = notebook(cells)
    used = "x, y" if "y = " in cells else "x"
    with pytest.raises(CellException, match=message) as caught:
        capture(f"print({used})", namespace, title="t")
    assert "cannot travel to a run" in str(caught.value)
    assert caught.value.hint
    assert re.search(hint, caught.value.hint)
    for name in ("x", "c"):
        value = shell.user_ns.get(name)
        if value is not shell and hasattr(value, "close") and not isinstance(value, type):
            value.close()


def test_several_are_named_together(notebook):
    namespace = notebook("import threading\na = threading.Lock()\nb = (i for i in [])")
    with pytest.raises(CellException, match=r"a \(_thread.lock\): threads.*; b \(generator\): it is half-way"):
        capture("a, b", namespace, title="t")


def test_what_is_only_read_on_some_path_is_left_out_when_it_cannot_travel(notebook):
    namespace = notebook("import threading\nlock = threading.Lock()\ndef f(x=lock): return 1\ndef g(): return lock")
    cell = "for i in range(3):\n    lock = i\nprint(lock)\nif i > 5:\n    f = g = 1\nprint(f, g)"
    assert [definition.name for definition in capture(cell, namespace, title="t").definitions] == ["g"]


def test_a_pickle_says_which_packages_it_needs_and_nothing_of_ours(notebook):
    from sklearn import __version__

    namespace = notebook("from sklearn.linear_model import LinearRegression\nm = LinearRegression()\nf = [lambda: m]")
    found = capture("m, f", namespace, title="t")
    packages = {name for value in found.stored.values() for name, _ in value.requires}
    assert "sklearn" in packages
    assert "amlnb" not in packages
    assert __version__


def test_modules_that_a_pickle_imports_travel_too(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "nets_of_mine.py").write_text("class Net:\n    v = 3\n")
    namespace = notebook("from nets_of_mine import Net\nnet = Net()\ndel Net")
    found = capture("print(net.v)", namespace, title="t")
    assert "\nimport nets_of_mine\n" in found.script


def test_one_line_tells_what_was_captured_and_how_big(notebook):
    namespace = notebook(
        "import os, math, numpy as np\ndef f(): return math.pi\ndef g(): return f()\nclass A: ...\nclass B: ...\n"
        "a, b, c = 1, np.zeros(1000), {1}"
    )
    assert capture("print(1)", namespace, title="t").summary == "nothing but the cell"
    assert capture("os, g, A, a, b, c", namespace, title="t").summary == (
        "2 imports, 2 functions, 1 class, 3 values (8.0 kB)"
    )
    assert capture("A, B", namespace, title="t").summary == "2 classes"


class Shared:
    """A namespace of two values that share an object, and cannot be put together."""

    def names(self):
        return ["a", "b"]

    def describe(self, name):
        stored = StoredValue(".pkl", print, 10)
        return ValueSymbol(name, stored, "list", holds=frozenset({1})) if name in self.names() else None

    def together(self, names):
        return {name: RefusedSymbol(name, "list", "no", "hint") for name in names}


def test_values_that_share_an_object_and_cannot_go_together_are_refused():
    with pytest.raises(CellException, match=r"a \(list\): no; b \(list\): no"):
        capture("a, b", Shared(), title="t")
