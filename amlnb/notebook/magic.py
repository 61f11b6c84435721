"""``%%submit``: the cell becomes a run."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from amlnb.errors import AmlnbError
from amlnb.notebook.cell_lines import cell_line, in_cell_lines
from amlnb.notebook.display import LiveDisplays, RunDisplay
from amlnb.notebook.front_end import has_front_end, notebook_path
from amlnb.notebook.options import make_parser, parse_options
from amlnb.notebook.outputs import Output, details_output, picture_output

if TYPE_CHECKING:
    from amlnb.api.run import Run
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.submission import Prepared

_log = logging.getLogger(__name__)

_HELP = """Run this cell as a tracked run, while the notebook goes on.

The cell becomes a script: imports, functions, classes and values that it uses are taken from the notebook as they are
now. It runs in a process of its own that outlives the kernel; its state, curves and log are shown below the cell.
Log with ``amlnb.log(loss=0.3, step=i)``. The run is the cell's result: get it with ``--as NAME``, or as ``_`` in the
next cell. A relative path is read from the notebook's folder; new files are kept only under ``outputs/`` and ``logs/``.

"""


class SubmitMagic:
    """The magic of one shell, and the live outputs of its runs."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._live = LiveDisplays()
        self._just_shown: set[str] = set()
        self.submit.__func__.__doc__ = _HELP + make_parser().format_help()  # type: ignore[attr-defined]

    def submit(self, line: str, cell: str | None = None) -> Run | None:
        """Replaced by the flags' own help when the magic is registered."""
        try:
            return self._submit(line, cell)
        except AmlnbError as error:
            _show_without_traceback(error)
            raise

    def show(self, run: Run) -> None:
        """Display a run that a cell evaluates to: live where someone watches, else as it is now."""
        if run.id in self._just_shown:
            self._just_shown.discard(run.id)
            return
        if has_front_end(self._shell):
            self._live.add(RunDisplay(run.directory, self._publish))
        else:
            self._show_once(run)

    def _submit(self, line: str, cell: str | None) -> Run | None:
        from amlnb.notebook import submission

        options = parse_options(line)
        if options.help or not (cell or "").strip():
            print(_HELP + make_parser().format_help())
            return None
        prepared = submission.prepare(self._shell, cell or "", options)
        if options.dry_run:
            _print_dry_run(prepared, options)
            return None
        run, made = submission.submit(prepared, options)
        if made is not None:
            print(f"amlnb: made a workspace in {made}")
        print(f"amlnb: submitted with {prepared.summary}", flush=True)
        if options.variable is not None:
            self._shell.user_ns[options.variable] = run
        # The result of the cell is the run; it is shown by then, and not once more.
        self._just_shown.add(run.id)
        self._follow(run, options)
        return run

    def _follow(self, run: Run, options: SubmitOptions) -> None:
        from amlnb.notebook import waiting
        from amlnb.render import png

        if has_front_end(self._shell):
            png.load()  # begun when the extension was loaded; the live thread must not have to
            display = RunDisplay(run.directory, self._publish)
            self._live.add(display)
            if options.block:
                waiting.wait_beside_display(run, display)
        elif options.block is False:
            print(f"amlnb: run {run.id} is queued; 'amlnb run logs -f {run.id}' follows it")
        elif waiting.wait_with_lines(run):
            self._show_once(run)
            waiting.raise_if_failed(run)

    def _show_once(self, run: Run) -> None:
        from amlnb.live.run_tail import RunTail
        from amlnb.render.png import to_png
        from amlnb.render.run_picture import run_scene

        tail = RunTail(run.directory)
        view = in_cell_lines(tail.poll(), cell_line(tail.reader.record))
        as_of = None if tail.sealed else time.time()
        scene = run_scene(view, as_of=as_of)
        self._publish(picture_output(view, scene, to_png(scene), as_of=as_of))
        self._publish(details_output(view, as_of=as_of))

    def _publish(self, output: Output, display_id: str | None = None, *, update: bool = False) -> None:
        transient = {"display_id": display_id} if display_id is not None else {}
        self._shell.display_pub.publish(data=output.data, metadata=output.metadata, transient=transient, update=update)


def load_ipython_extension(shell: Any) -> None:
    """Register the magic, show runs well, and wake the courier ahead of the first submission.

    Runs of this notebook that are still going are shown, live: the views that a former kernel has left stand still.

    Parameters
    ----------
    shell
        The running `IPython.core.interactiveshell.InteractiveShell`.
    """
    magic = SubmitMagic(shell)
    shell.register_magic_function(magic.submit, magic_kind="line_cell", magic_name="submit")
    if hasattr(shell, "kernel"):
        formatter = shell.display_formatter.ipython_display_formatter
        formatter.for_type_by_name("amlnb.api.run", "Run", magic.show)
        if has_front_end(shell):
            _show_unfinished(magic, shell)
    threading.Thread(target=_get_ready, name="amlnb-ready", daemon=True).start()


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


def _print_dry_run(prepared: Prepared, options: SubmitOptions) -> None:
    print(prepared.capture.script)
    print(f"# would be submitted to experiment {prepared.experiment!r} on {options.target!r} with {prepared.summary}")
    for name in [prepared.script_name, *prepared.modules]:
        print(f"#   {name}")


def _show_without_traceback(error: AmlnbError) -> None:
    """Let IPython print what went wrong and what to do, and none of our own frames."""
    text = f"\x1b[31m{type(error).__name__}\x1b[0m: {error}"
    error._render_traceback_ = lambda: text.split("\n")  # type: ignore[attr-defined]  # IPython's own protocol
