"""The two outputs of a run in a notebook, a picture and tables: they stand alone without kernel, server and trust."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.api.cell_lines import cell_script, in_cell_lines
from amlnb.core import states
from amlnb.errors import text_of
from amlnb.render.formatting import one_line
from amlnb.render.png import to_small_png
from amlnb.render.run_html import run_html
from amlnb.render.run_picture import run_scene
from amlnb.render.run_text import run_text
from amlnb.render.svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from amlnb.live.run_tail import RunTail
    from amlnb.render.scene import Scene
    from amlnb.specs.run_view import RunView

_STOPPED = "This view of the run has stopped"
RUN_MIME = "application/vnd.amlnb.run+json"
# Lets the front end leave the tables out where it shows the run itself; who does not know it shows the HTML.
DETAILS_MIME = "application/vnd.amlnb.run-details+json"
_FORMAT = 1
_NAME_LIMIT = 200


@dataclass(frozen=True)
class Output:
    """One output: a bundle of representations, best understood by MIME type."""

    data: dict[str, Any]
    metadata: dict[str, Any]


def picture_output(view: RunView, scene: Scene, png: bytes | None, *, as_of: float | None = None) -> Output:
    """Bundle a run's picture.

    Parameters
    ----------
    view, scene
        The run and its picture.
    png
        The picture as PNG, possibly of a few seconds ago; None if there is none yet.
    as_of
        Unix time of an output that the kernel will update: then it also holds an SVG, which is quick to make. A final
        one (None) does not, because it is not shown in an untrusted notebook.

    Notes
    -----
    No HTML and no widget: each would be preferred to the picture, and is not shown without trust or a kernel.
    """
    data: dict[str, Any] = {
        RUN_MIME: {
            "format": _FORMAT,
            "id": view.id,
            "experiment": view.experiment,
            "name": None if view.display_name is None else one_line(view.display_name, _NAME_LIMIT),
            "state": view.state,
        },
        "text/plain": run_text(view, as_of=as_of),
    }
    metadata: dict[str, Any] = {}
    if as_of is not None:
        data["image/svg+xml"] = to_svg(scene)
    if png is not None:
        data["image/png"] = base64.b64encode(png).decode("ascii")
        metadata["image/png"] = {"width": scene.width, "height": scene.height}
    return Output(data, metadata)


def details_output(view: RunView, *, as_of: float | None = None) -> Output:
    """Bundle a run's tables; ``as_of`` as for the picture."""
    data = {
        DETAILS_MIME: {"format": _FORMAT, "id": view.id, "state": view.state},
        "text/html": run_html(view, as_of=as_of),
        "text/plain": _details_text(view.id),
    }
    return Output(data, {})


def stopped_output(error: Exception) -> Output:
    """Stand in for a run's tables where they are no longer kept up to date."""
    return Output({"text/plain": f"{_STOPPED}: {text_of(error)}"}, {})


def is_details(text: str, run_id: str) -> bool:
    """Tell by an output's plain text whether it holds the tables of a run."""
    return text == _details_text(run_id) or text.startswith(_STOPPED)


def _details_text(run_id: str) -> str:
    return f"run {one_line(run_id, 120)}"


def still_outputs(tail: RunTail, *, clock: Callable[[], float] = time.time) -> tuple[Output, Output]:
    """Bundle picture and tables of a run as it is now, for a page that nothing will update."""
    view = in_cell_lines(tail.poll(), cell_script(tail.reader.record))
    as_of = None if states.is_terminal(view.state) else clock()
    scene = run_scene(view, as_of=as_of)
    png = to_small_png(scene, scale=2 if as_of is None else 1)
    return picture_output(view, scene, png, as_of=as_of), details_output(view, as_of=as_of)
