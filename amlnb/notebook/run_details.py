"""``RunDetails``, v1's way to look at a run: the same live output as below a ``%%submit`` cell."""

from __future__ import annotations

import importlib
import os
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from amlnb.core import layout, states
from amlnb.errors import text_of
from amlnb.live.run_tail import RunTail
from amlnb.notebook.front_end import has_front_end
from amlnb.notebook.magic import magic_of
from amlnb.render.formatting import one_line
from amlnb.render.run_text import progress_line, run_text

if TYPE_CHECKING:
    from amlnb.api.run import Run

_CHILDREN_SHOWN = 20
_LOG_BYTES = 1024 * 1024


class RunDetails:
    """A run, shown.

    Parameters
    ----------
    run_instance
        The run.
    """

    def __init__(self, run_instance: Run) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: dict[str, Any] | None = None) -> None:
        """Show the run, and a line for each of its child runs.

        In a notebook that someone looks at this returns at once, and the output is kept up to date. Elsewhere (a
        script, nbconvert, papermill; or with ``AMLWIDGET_SYNC=1``) it prints a line now and then until the run has
        ended; Ctrl-C lets go of the run, which goes on. ``AMLWIDGET_RENDER=0`` shows nothing, as in v1. What cannot be
        shown is told, and raises nothing: a notebook must not end at its display.

        Parameters
        ----------
        render_lib
            ``"anywidget"`` shows a widget that its kernel answers, for hosts that do not have our front end (VS Code,
            Colab); what a notebook is to keep of the run, show without it. Anything else is accepted as in v1.
        widget_settings
            Accepted as in v1.
        """
        if os.environ.get("AMLWIDGET_RENDER") == "0":
            return
        try:
            if render_lib == "anywidget" and _kernel_shell() is not None:
                self._show_widget()
            else:
                self._show()
        except Exception as error:  # noqa: BLE001 - the boundary that is promised above
            print(f"amlnb: the run {one_line(self._run.id, 120)} cannot be shown: {text_of(error)}", file=sys.stderr)

    def get_widget_data(self, widget_settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Everything that v1's widget was given, under its keys.

        Returns
        -------
        dict
            ``status``, ``workbench_run_details_uri``, ``run_id``, ``run_properties``, ``child_runs``,
            ``children_metrics``, ``run_metrics`` (as of :meth:`Run.get_metrics`), ``run_logs`` (the log's last
            megabyte), ``widget_settings``, ``loading``.
        """
        run = self._run
        children = list(run.get_children())
        return {
            "status": run.get_status(),
            "workbench_run_details_uri": run.get_portal_url(),
            "run_id": run.id,
            "run_properties": _properties(run),
            "child_runs": [_properties(child) for child in children],
            "children_metrics": {child.id: child.get_metrics() for child in children},
            "run_metrics": run.get_metrics(),
            "run_logs": _log(run),
            "widget_settings": dict(widget_settings or {}),
            "loading": False,
        }

    def _show_widget(self) -> None:
        from IPython.display import display

        # By its name: the widgets stand on this package's neighbours.
        widget = importlib.import_module("amlnb.widget").RunWidget(self._run)
        display(widget)  # type: ignore[no-untyped-call]  # IPython's carries no types

    def _show(self) -> None:
        from amlnb.notebook import waiting

        shell = _kernel_shell()
        if shell is not None and has_front_end(shell) and os.environ.get("AMLWIDGET_SYNC") != "1":
            magic_of(shell).show_live(self._run)
            self._print_children()
            return
        if not waiting.wait_with_lines(self._run):
            return
        if shell is None:
            print(run_text(RunTail(self._run.directory).poll()), flush=True)
        else:
            magic_of(shell).show_still(self._run)
        self._print_children()

    def _print_children(self) -> None:
        children = self._run.get_children()
        for child in islice(children, _CHILDREN_SHOWN):
            view = RunTail(child.directory, curve_limit=0).poll()
            print("  child " + progress_line(view).removeprefix("amlnb: "), flush=True)
        more = sum(1 for _ in children)
        if more:
            print(f"  and {more:,} more child runs", flush=True)


def _kernel_shell() -> Any:
    """Return the shell of the kernel that this process is; None in a script or a terminal."""
    # A process that has not imported IPython is no kernel.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _properties(run: Run) -> dict[str, Any]:
    details = run.get_details()
    facts = run._reader().facts()
    now = facts.ended if facts.ended is not None else time.time()
    return {
        "run_id": run.id,
        "run_number": run.number,
        "run_name": run.display_name,
        "run_type": run.type,
        "status": details["status"],
        "created_utc": details["startTimeUtc"],
        "start_time": details["startTimeUtc"],
        "end_time_utc": details.get("endTimeUtc"),
        "run_duration": None if facts.started is None else max(0.0, now - facts.started),
        "is_terminal": states.is_terminal(facts.state),
        "properties": details["properties"],
        "tags": run.get_tags(),
        "log_files": details["logFiles"],
        "error": details.get("error"),
    }


def _log(run: Run) -> str:
    try:
        with open(os.path.join(run.directory, layout.USER_LOG), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            return file.read(_LOG_BYTES).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
