"""What cannot travel to a run, why, and what to do: told by the type, and where in a value it sits."""

from __future__ import annotations

import functools
import io
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlnb.notebook.attributes import attribute

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Refusal:
    """One kind of value that stays where it is.

    Attributes
    ----------
    what
        The thing in a few words, with its article.
    reason
        Why it cannot travel; follows the value's name.
    hint
        What to do.
    """

    what: str
    reason: str
    hint: str


_FILE = Refusal("an open file", "an open file belongs to this process", "open it inside the cell")
_RUNNING = Refusal(
    "a generator",
    "it is half-way through running, and only this process can go on with it",
    "make it inside the cell, or collect what it gives first: x = list(x)",
)
_TASK = Refusal(
    "a coroutine or task", "it waits in this kernel's event loop", "make it inside the cell, under asyncio.run(...)"
)
_THREAD = Refusal("a thread or lock", "threads and locks belong to this process", "make it inside the cell")
_POOL = Refusal("a pool of workers", "its workers belong to this process", "make it inside the cell")
_PROCESS = Refusal("a process", "it is a child of this kernel", "start it inside the cell")
_SOCKET = Refusal("a network connection", "a network connection ends in this process", "connect inside the cell")
_DATABASE = Refusal(
    "a database connection",
    "a database connection belongs to this process",
    "connect inside the cell, or read what you need into a variable first",
)
_CLUSTER = Refusal("a connection to a cluster", "it belongs to this process", "connect inside the cell")
_WIDGET = Refusal(
    "a widget", "a widget is drawn by this kernel", "read its value into a variable above: x = widget.value"
)
_KERNEL = Refusal("the notebook's kernel", "a run has no kernel", "leave it out of the cell")
_OURS = Refusal(
    "an object of amlnb",
    "it stands for something of this notebook",
    "take what is needed of it first, such as run.result(); the cell's own run is amlnb.get_context()",
)
_GPU = Refusal("a GPU tensor", "it lives in this process's GPU memory", "move it to the CPU first: x = x.cpu()")
_GPU_MODEL = Refusal(
    "a model on the GPU",
    "its parameters live in this process's GPU memory",
    "move it to the CPU first (model.cpu()), and to the GPU again inside the cell",
)
_MEMORY = Refusal("memory of this process", "it shows memory of this process", "copy it first: x = bytes(x)")
_TRACE = Refusal("a stack frame", "it belongs to this process's stack", "keep its text: traceback.format_exc()")
_WEAK = Refusal("a weak reference", "it refers to an object of this process", "use the object itself")
_BAR = Refusal("a progress bar", "it writes to this kernel's output", "make it inside the cell")
_LOGGING = Refusal("a log handler", "it writes to a stream of this process", "set logging up inside the cell")

# By `module.qualname` of a class or of one that it inherits from; a module alone stands for all its classes.
_BY_TYPE = {
    "tempfile._TemporaryFileWrapper": _FILE,
    "tempfile.SpooledTemporaryFile": _FILE,
    "tempfile.TemporaryDirectory": _FILE,
    "zipfile.ZipFile": _FILE,
    "tarfile.TarFile": _FILE,
    "h5py._hl.files.File": _FILE,
    "h5py._hl.base.HLObject": _FILE,
    "tables.file.File": _FILE,
    "netCDF4._netCDF4.Dataset": _FILE,
    "numpy.lib.npyio.NpzFile": _FILE,
    "numpy.lib._npyio_impl.NpzFile": _FILE,
    "threading": _THREAD,
    "_thread": _THREAD,
    "queue": _THREAD,
    "_queue": _THREAD,
    "concurrent.futures": _POOL,
    "multiprocessing.pool": _POOL,
    "multiprocessing.managers": _POOL,
    "joblib.parallel.Parallel": _POOL,
    "multiprocessing.process.BaseProcess": _PROCESS,
    "multiprocessing.queues": _PROCESS,
    "multiprocessing.synchronize": _PROCESS,
    "multiprocessing.connection": _SOCKET,
    "subprocess.Popen": _PROCESS,
    "psutil.Popen": _PROCESS,
    "asyncio": _TASK,
    "_asyncio": _TASK,
    "socket.socket": _SOCKET,
    "_socket.socket": _SOCKET,
    "ssl.SSLContext": _SOCKET,
    "http.client.HTTPConnection": _SOCKET,
    "smtplib.SMTP": _SOCKET,
    "ftplib.FTP": _SOCKET,
    "zmq": _SOCKET,
    "paramiko": _SOCKET,
    "sqlite3": _DATABASE,
    "sqlalchemy.engine.base": _DATABASE,
    "sqlalchemy.engine.cursor": _DATABASE,
    "sqlalchemy.orm.session": _DATABASE,
    "duckdb": _DATABASE,
    "_duckdb": _DATABASE,
    "psycopg": _DATABASE,
    "psycopg2": _DATABASE,
    "pymongo": _DATABASE,
    "redis": _DATABASE,
    "pyspark.context": _CLUSTER,
    "pyspark.sql.session": _CLUSTER,
    "pyspark.sql.dataframe": _CLUSTER,
    "ray._raylet": _CLUSTER,
    "ray.actor": _CLUSTER,
    "distributed.client": _CLUSTER,
    "ipywidgets": _WIDGET,
    "anywidget": _WIDGET,
    "IPython.core.interactiveshell": _KERNEL,
    "ipykernel": _KERNEL,
    "comm": _KERNEL,
    "amlnb.api": _OURS,
    "amlnb.tracking.offline": _OURS,
    "cupy": Refusal("a GPU array", "it lives in this process's GPU memory", "move it to the CPU first: x = x.get()"),
    "mmap.mmap": _MEMORY,
    "ctypes.CDLL": _MEMORY,
    "_ctypes._Pointer": _MEMORY,
    "_ctypes.CFuncPtr": _MEMORY,
    "weakref": _WEAK,
    "tqdm.std.tqdm": _BAR,
    "logging.Handler": _LOGGING,
}
_BY_CLASS: tuple[tuple[tuple[type, ...], Refusal], ...] = (
    ((types.GeneratorType, types.AsyncGeneratorType), _RUNNING),
    ((types.CoroutineType,), _TASK),
    ((types.FrameType, types.TracebackType), _TRACE),
    ((memoryview,), _MEMORY),
)
_IN_MEMORY = (io.BytesIO, io.StringIO)
_DATABASE_METHODS = ("execute", "close")
_ON_GPU = frozenset({"cuda", "mps", "xpu", "hip", "tpu"})
_SEARCHED_AT_MOST = 2000
_ABSENT = object()


def refusal(value: object) -> Refusal | None:
    """Tell why a value itself cannot travel; None if nothing is known against it."""
    for classes, told in _BY_CLASS:
        if isinstance(value, classes):
            return told
    for base in type(value).__mro__:
        found = _by_name(f"{base.__module__}.{base.__qualname__}")
        if found is not None:
            return found
    if isinstance(value, io.IOBase) and not isinstance(value, _IN_MEMORY):
        return _FILE
    if _is_on_gpu(value):
        return _GPU
    if _is_model_on_gpu(value):
        return _GPU_MODEL
    return _DATABASE if _is_database(value) else None


def belongs_here(value: object) -> bool:
    """Tell whether a part of a value is refused, though its class lets itself be pickled."""
    return _is_on_gpu(value) or (isinstance(value, io.IOBase) and not isinstance(value, _IN_MEMORY))


def culprit(name: str, value: object) -> tuple[str, Refusal] | None:
    """Find what in a value cannot travel.

    Returns
    -------
    tuple of (str, Refusal), or None
        Where it is as Python writes it (``model.cache``, ``jobs[2]``), and what; None if it is not near.
    """
    waiting, seen = [(name, value)], {id(value)}
    while waiting and len(seen) < _SEARCHED_AT_MOST:
        path, item = waiting.pop(0)
        if path != name and (found := refusal(item)) is not None:
            return path, found
        for where, part in _parts(path, item):
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append((where, part))
    return None


def _parts(path: str, item: object) -> Iterator[tuple[str, object]]:
    if isinstance(item, dict):
        yield from ((f"{path}[{key!r}]", part) for key, part in list(item.items())[:_SEARCHED_AT_MOST])
    elif isinstance(item, (list, tuple)):
        yield from ((f"{path}[{index}]", part) for index, part in enumerate(item[:_SEARCHED_AT_MOST]))
    elif isinstance(item, types.FunctionType):
        for variable, cell in zip(item.__code__.co_freevars, item.__closure__ or (), strict=True):
            if cell != types.CellType():
                yield f"{variable} in {path}", cell.cell_contents
    elif not isinstance(item, (type, types.ModuleType)):
        yield from _attributes(path, item)


def _attributes(path: str, item: object) -> Iterator[tuple[str, object]]:
    for own in ("func", "args", "__self__"):  # of partials and bound methods
        if isinstance(item, (functools.partial, types.MethodType)) and hasattr(item, own):
            yield f"{path}.{own}", getattr(item, own)
    attributes = attribute(item, "__dict__")
    if isinstance(attributes, dict):
        yield from ((f"{path}.{key}", part) for key, part in attributes.items())
    for base in type(item).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in [slots] if isinstance(slots, str) else slots:
            part = attribute(item, slot, _ABSENT)
            if part is not _ABSENT:
                yield f"{path}.{slot}", part


def _by_name(qualified: str) -> Refusal | None:
    while qualified:
        if qualified in _BY_TYPE:
            return _BY_TYPE[qualified]
        qualified = qualified.rpartition(".")[0]
    return None


def _is_on_gpu(value: object) -> bool:
    if isinstance(value, (type, types.ModuleType)) or not hasattr(type(value), "__mro__"):
        return False
    try:
        if getattr(value, "is_cuda", False) is True or getattr(value, "is_mps", False) is True:
            return True
        if not (hasattr(value, "dtype") and hasattr(value, "cpu")):
            return False
        return getattr(getattr(value, "device", None), "type", None) in _ON_GPU
    except Exception:  # noqa: BLE001 - an attribute of any class may raise anything
        return False


def _is_model_on_gpu(value: object) -> bool:
    """A `torch.nn.Module`, by its manners: its parameters are tensors."""
    if isinstance(value, type) or not callable(getattr(type(value), "parameters", None)):
        return False
    if not callable(getattr(type(value), "state_dict", None)):
        return False
    try:
        return any(_is_on_gpu(parameter) for parameter in value.parameters())  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - as above
        return False


def _is_database(value: object) -> bool:
    """A connection or cursor as Python's database interface (PEP 249) describes it."""
    kind = type(value)
    if not all(callable(getattr(kind, method, None)) for method in _DATABASE_METHODS):
        return False
    return any(callable(getattr(kind, method, None)) for method in ("commit", "fetchone"))
