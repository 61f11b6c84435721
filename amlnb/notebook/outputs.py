"""The two outputs of a run in a notebook, a picture and tables: they stand alone without kernel, server and trust."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.render.formatting import one_line
from amlnb.render.run_html import run_html
from amlnb.render.run_text import run_text
from amlnb.render.svg import to_svg

if TYPE_CHECKING:
    from amlnb.render.scene import Scene
    from amlnb.specs.run_view import RunView

RUN_MIME = "application/vnd.amlnb.run+json"
_FORMAT = 1


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
            "name": view.display_name,
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
    return Output({"text/html": run_html(view, as_of=as_of), "text/plain": f"run {one_line(view.id, 120)}"}, {})
