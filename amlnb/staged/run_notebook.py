"""Execute a notebook as a run: ``python run_notebook.py train.ipynb outputs/train.output.ipynb '{"rate": 0.1}'``.

Written by amlnb beside the notebook. It needs papermill and ipykernel, and works by hand too.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

_KERNEL = "--kernel"
_AUTOSAVE_S = 5
_LONGEST_TITLE = 60
_FAILURES = "failures"
_INJECTED = "injected-parameters"
# Imports, magics, commands, the comment that papermill puts above parameters, comments without a word.
_TELLS_LITTLE = re.compile(r"import\b|from\s+\S+\s+import\b|[%!]|# Parameters$|#\W*$")
# What scrapbook glues to a cell, and how, where that is plain.
_SCRAP, _PLAIN = "application/scrapbook.scrap.json+json", ("json", "text")
# A socket's path has 104 bytes on macOS and 108 on Linux, with what is put behind it and a byte for its end.
_SOCKET_PATH_BYTES = 96
_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - a folder of our own is made in it
_IPYTHONS = ("In", "Out", "exit", "quit", "open", "get_ipython")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CELL_LINE = re.compile(r"(?:Cell In\[\d+\], line|<ipython-input-\S+> in |-+> )\s*(\d+)")


def main(arguments: List[str]) -> int:
    """Run the notebook that the command line names, and return the exit code."""
    if arguments[0] == _KERNEL:
        return _be_kernel(arguments[1:])
    notebook, output = arguments[:2]
    parameters = ast.literal_eval(arguments[2]) if len(arguments) > 2 else {}
    options = json.loads(arguments[3]) if len(arguments) > 3 else {}
    try:
        import ipykernel  # noqa: F401 - the kernel is another process of this interpreter
        import papermill
    except ImportError as error:
        sys.stderr.write(
            f"This Python ({sys.executable}) cannot execute a notebook: {error}\n"
            "hint: pip install papermill ipykernel\n"
        )
        return 1
    # What the notebook itself submits is told by its own name, not by that of whoever submitted it.
    os.environ["JPY_SESSION_NAME"] = os.path.abspath(notebook)
    with tempfile.TemporaryDirectory(prefix="amlnb-", dir=_place()) as folder:
        _remove_when_told_to_end(folder)
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        return _execute(papermill, notebook, output, parameters, options)


def _place() -> str:
    """Where temporary files belong, or another such place if the path of a socket would become too long there."""
    usual = tempfile.gettempdir()
    others = [place for place in _PLACES if os.access(place, os.W_OK | os.X_OK)]
    return next((place for place in (usual, *others) if _is_short(os.path.join(place, "amlnb-12345678/kernel"))), usual)


def _is_short(path: str) -> bool:
    return len(os.fsencode(path)) <= _SOCKET_PATH_BYTES


def _remove_when_told_to_end(folder: str) -> None:
    """Remove a folder when this process is told to end, as a canceled run is; then end as it would have."""

    def end(number: int, _: Any) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)


def _execute(papermill: Any, notebook: str, output: str, parameters: Dict[str, Any], options: Dict[str, Any]) -> int:
    os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
    _keep_writes_whole(output)
    _write_all_literals()
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    at = _At()
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters=parameters,
            kernel_name="python3",
            language="python",
            engine_name=_register_engine(at, keep_scraps=options.get("history", True)),
            progress_bar=False,
            autosave_cell_every=_AUTOSAVE_S,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            store_widget_state=False,
            cwd=options.get("cwd"),
            execution_timeout=options.get("timeout"),
        )
    except papermill.PapermillExecutionError as error:
        sys.stderr.write("\n".join(error.traceback) + "\n")
        _tell_failure(notebook, at, error)
        return 1
    except CellTimeoutError as error:
        told = f"the cell took longer than {options.get('timeout')} s ({at.cell(notebook)})"
        _tell_stop(notebook, at, error, told, "give cells more time with AzureMLNotebookHandler(timeout=...)")
        return 1
    except DeadKernelError as error:
        hint = "it may have used up the memory, or native code in it crashed: the log's last lines may tell"
        where = f"in {at.cell(notebook)}" if at.number else "before the first cell"
        _tell_stop(notebook, at, error, f"the kernel died {where}", hint)
        return 1
    return 0


class _At:
    """The cell that is being executed, by its number among those with code; 0 before the first."""

    number = 0

    def cell(self, notebook: str) -> str:
        """How messages name it."""
        return f"cell [{self.number}] of {os.path.basename(notebook)}"


def _register_engine(at: _At, *, keep_scraps: bool) -> str:
    """Make papermill start the kernel from this very interpreter, and tell how far it is; the engine's name."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from papermill.engines import NBClientEngine, papermill_engines

    class OwnKernelManager(AsyncKernelManager):
        """Needs no kernel spec to be installed, and lets no other user of this machine talk to its kernel."""

        def __init__(self, **settings: Any) -> None:
            address = os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "kernel")
            # Nowhere is a short path: then by TCP, where nobody else can command the kernel either.
            ours = {"transport": "ipc", "ip": address} if _is_short(address) else {}
            super().__init__(**dict(settings, **ours))

        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, os.path.abspath(__file__), _KERNEL, "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python", language="python")

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> Any:
            ended = _follow_cells(nb_man, at)
            if keep_scraps and os.environ.get("AMLNB_RUN_DIR"):
                _keep_scraps(nb_man)
            super().execute_managed_notebook(nb_man, kernel_name, kernel_manager_class=OwnKernelManager, **settings)
            ended()

    papermill_engines.register("amlnb", Engine)
    return "amlnb"


def _be_kernel(arguments: List[str]) -> int:
    """Be the kernel: ipykernel, which in a run also keeps the local values of a failure."""
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.path.dirname(os.path.abspath(__file__)))]
    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize(arguments)
    if os.environ.get("AMLNB_RUN_DIR"):
        app.shell.set_custom_exc((Exception,), _keep_failure)
    app.start()
    return 0


def _keep_failure(shell: Any, kind: Any, error: Any, traceback: Any, tb_offset: Any = None) -> None:
    from importlib import import_module

    try:
        record = import_module("amlnb.runner.failure").record
        first = traceback
        while first is not None and not _is_of_cell(first):
            first = first.tb_next  # what runs the cells
        record(kind, error, first or traceback, os.path.join(os.environ["AMLNB_RUN_DIR"], _FAILURES))
    finally:
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def _is_of_cell(traceback: Any) -> bool:
    return "ipykernel_" in traceback.tb_frame.f_code.co_filename


def _follow_cells(manager: Any, at: _At) -> Callable[[], None]:
    """Tell progress before each cell that has code, in the log and to the run; and by what is returned, at the end."""
    progress = _progress()
    numbers = [index for index, cell in enumerate(manager.nb.cells) if _is_the_persons(cell)]
    given = next((cell for cell in manager.nb.cells if _is_tagged(cell, _INJECTED)), None)
    start = manager.cell_start

    def cell_start(cell: Any, cell_index: Optional[int] = None, **settings: Any) -> Any:
        if cell_index in numbers:
            done = numbers.index(cell_index)
            at.number = done + 1
            # Those that papermill sets below the person's own ones are the parameters that count.
            title = _title((given if given and _is_tagged(cell, "parameters") else cell).source)
            print(f"\x1b[2m[{done + 1}/{len(numbers)}] {title}\x1b[0m", flush=True)
            progress(done, len(numbers), title)
        return start(cell, cell_index, **settings)

    def ended() -> None:
        if not manager.nb.metadata.papermill.get("exception"):
            progress(len(numbers), len(numbers), None)

    manager.cell_start = cell_start
    return ended


def _keep_scraps(manager: Any) -> None:
    """Log as metrics of the run what the cells glue by scrapbook, each when its cell has ended."""
    from importlib import import_module

    run, complete = import_module("amlnb").get_context(), manager.cell_complete

    def cell_complete(cell: Any, cell_index: Optional[int] = None, **settings: Any) -> Any:
        for output in cell.get("outputs") or ():
            scrap = (output.get("data") or {}).get(_SCRAP)
            if isinstance(scrap, dict) and scrap.get("encoder") in _PLAIN:
                try:
                    log = run.log_list if isinstance(scrap["data"], list) else run.log
                    log(str(scrap["name"]), scrap["data"])
                except Exception as error:  # noqa: BLE001 - what cannot be a metric does not stop the notebook
                    sys.stderr.write(f"the scrap {scrap.get('name')!r} is no metric: {error}\n")
        return complete(cell, cell_index, **settings)

    manager.cell_complete = cell_complete


def _is_the_persons(cell: Any) -> bool:
    """Tell whether a cell has code, and is not the one by which papermill sets the parameters."""
    return bool(cell.cell_type == "code" and cell.source.strip() and not _is_tagged(cell, _INJECTED))


def _is_tagged(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _progress() -> Any:
    """`Run.progress` of the run that this is; nothing where this is executed by hand."""
    if not os.environ.get("AMLNB_RUN_DIR"):
        return lambda *_: None
    from importlib import import_module

    return import_module("amlnb").progress  # the run side, which every run has on its path


def _title(source: str) -> str:
    """First line of a cell that tells what it does; imports and magics do not where there is more."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    line = next((line for line in lines if not _TELLS_LITTLE.match(line)), lines[0])
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


def _write_all_literals() -> None:
    """Make papermill write tuples, sets and bytes as what they are: it has no form for them."""
    from papermill.translators import PythonTranslator, papermill_translators

    class Literals(PythonTranslator):  # type: ignore[misc]
        @classmethod
        def translate(cls, val: Any) -> str:
            return repr(val) if isinstance(val, (tuple, set, bytes)) else str(super().translate(val))

    papermill_translators.register("python", Literals)


def _keep_writes_whole(output: str) -> None:
    """Replace the executed notebook in one step whenever it is written, so that it can be opened at any time."""
    from papermill.iorw import LocalHandler, papermill_io

    class WholeFiles(LocalHandler):  # type: ignore[misc]
        def write(self, buf: str, path: str) -> None:
            folder, name = os.path.split(path)
            fd, unfinished = tempfile.mkstemp(prefix=f".{name}.", dir=folder or ".")
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(buf)
            os.chmod(unfinished, 0o644)
            os.replace(unfinished, path)

    papermill_io.register(output, WholeFiles())


def _tell_failure(notebook: str, at: _At, error: Any) -> None:
    """Tell what a cell raised: the cell's error is the run's."""
    cell = f"{os.path.basename(notebook)}, cell [{at.number}]"
    # What is below the first line may be a hint, which ends the message.
    first, newline, more = str(error.evalue)[:4000].partition("\n")
    message = f"{first.rstrip()} ({at.cell(notebook)}){newline}{more}"

    def frames(failures: str) -> List[Dict[str, Any]]:
        return _kept_frames(failures, error, cell) or [_told_frame(error, cell)]

    _leave(str(error.ename), message, frames)


def _tell_stop(notebook: str, at: _At, error: Exception, told: str, hint: str) -> None:
    """Tell what ended the execution from outside of a cell: where it came from in nbclient helps nobody."""
    message = f"{told}\nhint: {hint}"
    sys.stderr.write(f"{message}\n")
    cell = f"{os.path.basename(notebook)}, cell [{at.number}]"
    frame = {"file": cell, "line": 0, "text": "", "function": "<module>", "locals": []}
    _leave(type(error).__name__, message, lambda _: [frame] if at.number else [])


def _leave(kind: str, message: str, frames: Callable[[str], List[Dict[str, Any]]]) -> None:
    """Leave what failed where a run's own Python would have left it."""
    folder = os.environ.get("AMLNB_RUN_DIR")
    if not folder:
        return
    failures = os.path.join(folder, _FAILURES)
    os.makedirs(failures, exist_ok=True)
    document = {"pid": os.getpid(), "type": kind, "message": message, "frames": frames(failures)}
    path = os.path.join(failures, f"{os.getpid()}-{time.time_ns():x}.json")
    with open(path + ".new", "x") as file:
        json.dump(document, file)
    os.rename(path + ".new", path)


def _kept_frames(failures: str, error: Any, cell: str) -> List[Dict[str, Any]]:
    """Frames that the kernel has kept of this error; its last cell is named as the notebook counts it."""
    for name in os.listdir(failures):
        try:
            with open(os.path.join(failures, name)) as file:
                kept = json.load(file)
        except (OSError, ValueError):
            continue
        if kept.get("type") == error.ename and kept.get("message") == str(error.evalue)[:4000]:
            frames: List[Dict[str, Any]] = kept["frames"]
            of_cell = [frame for frame in frames if frame["function"] == "<module>"][:1]
            for frame in of_cell:
                own = [told for told in frame["locals"] if told["name"][:1] != "_" and told["name"] not in _IPYTHONS]
                frame.update(file=cell, locals=own)
            return frames
    return []


def _told_frame(error: Any, cell: str) -> Dict[str, Any]:
    """The failing line as the traceback tells it."""
    line, lines = _failing_line(error.traceback), str(error.source).splitlines()
    text = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
    return {"file": cell, "line": line, "text": text, "function": "<module>", "locals": []}


def _failing_line(traceback: List[str]) -> int:
    """Line of the cell, as IPython's traceback tells it; 0 if it does not."""
    for part in traceback:
        found = _CELL_LINE.search(_COLOURS.sub("", part))
        if found:
            return int(found[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
