"""``%%submit`` and the magics beside it."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any

from amlnb.api.run import Run
from amlnb.api.run_outputs import Output, still_outputs
from amlnb.engine.slots import WaitingLine
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.notebook import submit_settings
from amlnb.notebook.display import LiveDisplays, RunDisplay
from amlnb.notebook.flags import make_parser
from amlnb.notebook.front_end import cell_id, has_front_end, notebook_path
from amlnb.notebook.options import parse_file_options, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.sending import Sent

_log = logging.getLogger(__name__)

_COMMAND = "amlnb"
_HELP = """Run this cell as a tracked run, while the notebook goes on.

The cell becomes a script: imports, functions, classes and values that it uses are taken from the notebook as they are
now. It runs in a process of its own that outlives the kernel; its state, curves and log are shown below the cell.

    %%submit "bigger batches" --experiment digits --out model
    for step in range(200):
        amlnb.log(loss=train(model, batch=64), step=step)

Log with ``amlnb.log(loss=0.3, step=i)``, tell progress with tqdm or ``amlnb.progress(i, n)``. The run is the cell's
result: get it with ``--as NAME``, or as ``_`` in the next cell; ``run.result()`` waits, and gives the ``--out`` values
as a dict. A relative path is read from the notebook's folder; new files are kept only under ``outputs/`` and ``logs/``.

Scripts and whole notebooks run the same way, in one line:

    %submit train.py --epochs 3
    %submit train.ipynb -p rate 0.1

``%runs`` shows all runs, ``%compare A B`` what differs between them, ``%submit_config`` the defaults of these flags
(change one with ``%submit_config reuse=True``, or for a project in pyproject.toml under ``[tool.amlnb]``).

"""
_NOTHING = """Nothing was submitted. The first line of a cell is %%submit, with two signs; %submit takes a file:

    %submit train.py --epochs 3
    %submit train.ipynb -p rate 0.1
    %submit --help
"""
_ASKS_FOR_HELP = (["--help"], ["-h"])
_CONFIG_HELP = """Show the defaults of %%submit, or change some: ``%submit_config target=box timeout=2h reuse=True``.

``NAME=`` takes a setting back, ``--reset`` all of them. They hold in this kernel; those of a project stand in its
pyproject.toml under ``[tool.amlnb]``.
"""


class SubmitMagic:
    """The magics of one shell, and the live outputs of its runs."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._live = LiveDisplays()
        self._line = WaitingLine()
        self._just_shown: dict[str, int] = {}
        self._settings: dict[str, Any] = {}
        self._of_cell: dict[str, Run] = {}
        self.submit.__func__.__doc__ = _HELP + make_parser().format_help()  # type: ignore[attr-defined]
        self.submit_config.__func__.__doc__ = _CONFIG_HELP  # type: ignore[attr-defined]

    def register(self) -> None:
        """Make the magics known to the shell."""
        register = self._shell.register_magic_function
        register(self.submit, magic_kind="line_cell", magic_name="submit")
        register(self.submit_config, magic_kind="line", magic_name="submit_config")
        register(self.runs, magic_kind="line", magic_name="runs")
        register(self.compare, magic_kind="line", magic_name="compare")

    def submit(self, line: str, cell: str | None = None) -> Run | None:
        """Replaced by the flags' own help when the magic is registered."""
        with _told_without_traceback():
            return self._submit(line, cell)

    def submit_config(self, line: str) -> None:
        """Replaced by its help when the magic is registered."""
        with _told_without_traceback():
            self._configure(line)

    def runs(self, line: str) -> None:
        """Show runs, the newest first: %runs, %runs EXPERIMENT, %runs -n 100 --sort loss."""
        with _told_without_traceback():
            self._show_runs(line)

    def compare(self, line: str) -> None:
        """Show what differs between runs: %compare A B. Each is a variable, a name, part of an id, digits#3 or last."""
        with _told_without_traceback():
            self._compare(line)

    def show(self, run: Run) -> None:
        """Display a run that a cell evaluates to: live where someone watches, else as it is now."""
        if self._just_shown.pop(run.id, None) == self._shell.execution_count:
            return
        if has_front_end(self._shell):
            self.show_live(run)
        else:
            self.show_still(run)

    def show_live(self, run: Run) -> None:
        """Display a run, and keep what is shown up to date."""
        self._live.add(RunDisplay(run.directory, self._publish, waits=self._line.reason))

    def show_still(self, run: Run) -> None:
        """Display a run as it is now."""
        for output in still_outputs(RunTail(run.directory)):
            self._publish(output)

    def settings(self) -> dict[str, Any]:
        """Defaults that hold here; raises UserErrorException for a pyproject.toml that cannot be used."""
        return submit_settings.effective(submit_settings.read_project(".")[0], self._settings)

    def _submit(self, line: str, cell: str | None) -> Run | None:
        defaults = self.settings()
        options = parse_file_options(line, defaults) if cell is None else parse_options(line, defaults)
        if options.help:
            print(_HELP + make_parser().format_help())
            return None
        if options.file is None and not (cell or "").strip():
            print(_NOTHING)
            return None
        self._check_variable(options.variable)
        if options.file is not None:
            from amlnb.notebook import file_submission

            if options.dry_run:
                print(file_submission.dry_run_text(self._shell, options))
                return None
            misplaced = file_submission.misplaced_flag(options)
            if misplaced is not None:
                print(f"amlnb: {misplaced} stands after the script, and is given to it; flags of ours stand before it")
            sent, summary = file_submission.submit(self._shell, options)
            return self._show_sent(sent, options, summary)
        from amlnb.notebook import submission
        from amlnb.notebook.dry_run import dry_run_text

        prepared = submission.prepare(self._shell, cell or "", options)
        for text in prepared.warnings:
            print(f"amlnb: {text}")
        if options.dry_run:
            print(dry_run_text(prepared, options))
            return None
        return self._show_sent(submission.submit(prepared, options), options, prepared.summary)

    def _check_variable(self, name: str | None) -> None:
        """A run must not take the place of something else without a word."""
        value = None if name is None else self._shell.user_ns.get(name)
        if value is not None and not isinstance(value, Run):
            raise UserErrorException(
                f"%%submit: --as {name} would replace the notebook's {name} ({type(value).__name__}).",
                f"choose another name, or 'del {name}' first",
            )

    def _show_sent(self, sent: Sent, options: SubmitOptions, summary: str) -> Run:
        run = sent.run
        self._tell_of_earlier(run)
        for text in sent.told(summary):
            print(f"amlnb: {text}", flush=True)
        if options.variable is not None:
            self._shell.user_ns[options.variable] = run
        # The result of this very cell is the run; it is shown by then, and not once more.
        self._just_shown[run.id] = self._shell.execution_count
        self._follow(run, options)
        return run

    def _tell_of_earlier(self, run: Run) -> None:
        """A cell that is submitted again while its run goes on: that one is no longer seen, and keeps its slot."""
        cell = cell_id(self._shell)
        earlier = self._of_cell.get(cell) if cell is not None else None
        # A loop that submits several is one execution of the cell.
        is_of_before = earlier is not None and self._just_shown.get(earlier.id) != self._shell.execution_count
        if earlier is not None and is_of_before and earlier.id != run.id and not earlier.done():
            print(f"amlnb: an earlier run of this cell goes on: {earlier.id}; its .cancel() ends it", flush=True)
        if cell is not None:
            self._of_cell[cell] = run

    def _follow(self, run: Run, options: SubmitOptions) -> None:
        from amlnb.notebook import waiting
        from amlnb.render import png

        if options.stream:
            if waiting.wait_with_log(run):
                self.show_still(run)
                waiting.raise_if_failed(run)
        elif has_front_end(self._shell):
            png.load()  # begun when the extension was loaded; the live thread must not have to
            display = RunDisplay(run.directory, self._publish, waits=self._line.reason)
            self._live.add(display)
            if options.block:
                waiting.wait_beside_display(run, display)
        elif options.block is False:
            print(f"amlnb: run {run.id} is queued; 'amlnb run logs -f {run.id}' follows it")
        elif waiting.wait_with_lines(run):
            self.show_still(run)
            waiting.raise_if_failed(run)

    def _configure(self, line: str) -> None:
        if line.split()[:1] in _ASKS_FOR_HELP:
            print(_CONFIG_HELP)
            return
        settings = submit_settings.parse_line(line, self._settings)
        if "target" in settings:
            from amlnb.engine import targets
            from amlnb.notebook.sending import data_directory

            targets.read(data_directory("."), settings["target"])
        project, path = submit_settings.read_project(".")
        self._settings = settings
        print(submit_settings.as_text(project, path, settings))

    def _show_runs(self, line: str) -> None:
        from amlnb.notebook.runs_magic import parse_runs_line, workspace_here
        from amlnb.notebook.runs_output import runs_outputs

        if line.split()[:1] in _ASKS_FOR_HELP:
            print(self.runs.__doc__)
            return
        experiment, limit, sort_by = parse_runs_line(line)
        for output in runs_outputs(workspace_here(), experiment, limit=limit, sort_by=sort_by):
            self._publish(output)

    def _compare(self, line: str) -> None:
        from amlnb.notebook.compare_output import compare_outputs
        from amlnb.notebook.runs_magic import named_runs

        if line.split()[:1] in _ASKS_FOR_HELP:
            print(self.compare.__doc__)
            return
        for output in compare_outputs(named_runs(line, self._shell.user_ns)):
            self._publish(output)

    def _publish(self, output: Output, display_id: str | None = None, *, update: bool = False) -> None:
        transient = {"display_id": display_id} if display_id is not None else {}
        self._shell.display_pub.publish(data=output.data, metadata=output.metadata, transient=transient, update=update)


def load_ipython_extension(shell: Any) -> None:
    """Register the magics, show runs well, and wake the courier ahead of the first submission.

    Runs of this notebook that are still going are shown, live: the views that a former kernel has left stand still.

    Parameters
    ----------
    shell
        The running `IPython.core.interactiveshell.InteractiveShell`.
    """
    from amlnb.notebook import completion

    magic = magic_of(shell)
    completion.register(shell)
    _find_command()
    if hasattr(shell, "kernel"):
        formatter = shell.display_formatter.ipython_display_formatter
        formatter.for_type_by_name("amlnb.api.run", "Run", magic.show)
        if has_front_end(shell):
            _show_unfinished(magic, shell)
    threading.Thread(target=_get_ready, name="amlnb-ready", daemon=True).start()


def _find_command() -> None:
    """Let ``!amlnb`` be found though the kernel's environment is not activated."""
    folder = os.path.dirname(sys.executable)
    if shutil.which(_COMMAND) is None and shutil.which(_COMMAND, path=folder) is not None:
        os.environ["PATH"] = os.pathsep.join(filter(None, [os.environ.get("PATH"), folder]))


def magic_of(shell: Any) -> SubmitMagic:
    """Return the magics of a shell, made if need be: one for all, so that they share settings, thread and budget."""
    found = getattr(shell.find_line_magic("submit"), "__self__", None)
    if isinstance(found, SubmitMagic):
        return found
    made = SubmitMagic(shell)
    made.register()
    return made


def _show_unfinished(magic: SubmitMagic, shell: Any) -> None:
    """After a restart of the kernel: bring back the views of what this notebook has submitted."""
    from amlnb.notebook.unfinished import unfinished_runs

    try:
        found = unfinished_runs(notebook_path(shell))
    except (AmlnbError, OSError) as error:  # told again by whoever needs the workspace
        _log.info("The runs of this notebook could not be looked for: %s", error)
        return
    for run in found:
        print(f"amlnb: submitted from this notebook, and still going: {run.display_name or run.id}", flush=True)
        magic.show(run)


def _get_ready() -> None:
    """Do ahead of time what the first submission and the first picture need."""
    from amlnb.engine.courier import wake
    from amlnb.render import png

    try:
        wake.wake()
    except OSError as error:  # told again, with what to do, by whoever submits
        _log.warning("The courier could not be woken: %s", error)
    png.load()


@contextlib.contextmanager
def _told_without_traceback() -> Iterator[None]:
    """Let IPython print what went wrong and what to do, and none of our own frames."""
    try:
        yield
    except AmlnbError as error:
        lines = f"\x1b[31m{type(error).__name__}\x1b[0m: {error.told}".split("\n")
        error._render_traceback_ = lambda: lines  # type: ignore[method-assign]  # IPython's own protocol
        raise
