"""Widgets that show runs: ipywidgets with traits to observe, for hosts that have no server of ours."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from amlnb.api.experiment import Experiment
from amlnb.api.run import Run
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.widget.page_server import page_server

if TYPE_CHECKING:
    from amlnb.server.routes import Answer
    from amlnb.server.stream_session import StreamSession
    from amlnb.specs.run_view import RunView

_STATIC = os.path.join(os.path.dirname(__file__), "static")
_POLL_S = 0.5
_CURVE_POINTS = 300
_MOST_STREAMS = 16
_BEAT_S = 10.0


class _Page(anywidget.AnyWidget):
    """A view of ours in a widget: what it asks comes as messages, and is answered by the kernel's own threads.

    While the kernel executes a cell, what the page asks waits for the end of the cell, and what it follows goes on.
    """

    _esm = os.path.join(_STATIC, "widget.js")
    _css = os.path.join(_STATIC, "widget.css")
    # Which view of which workspace: what labextension/src/widget reads.
    _view = traitlets.Dict().tag(sync=True)

    def __init__(self, workspace: str, view: dict[str, Any], **traits: Any) -> None:
        self._server = page_server(workspace)
        self._streams: dict[int, StreamSession] = {}
        self._beating: asyncio.Task[None] | None = None
        super().__init__(_view={**view, "workspace": self._server.key}, **traits)
        self.on_msg(self._on_message)

    def close(self) -> None:
        """End what it follows."""
        if hasattr(self, "_server"):  # also called of one that was never made, because what it was given is no run
            self._server.loop.call_soon_threadsafe(self._end_streams)
        super().close()

    def _on_message(self, _: object, content: Any, buffers: list[memoryview]) -> None:
        """Take a message of the page: ``fetch``, or ``open``, ``text`` and ``end`` of a stream."""
        if not isinstance(content, dict) or not isinstance(content.get("id"), int):
            return
        number, kind = content["id"], content.get("kind")
        if kind == "fetch":
            method, path, body = (str(content.get(name) or "") for name in ("method", "path", "body"))
            self._server.ask(method, path, body.encode(), lambda answer: self._send_answer(number, answer))
        elif kind == "open":
            self._server.open_stream(
                lambda message: self._send_stream(number, message),
                lambda: self.send({"kind": "closed", "id": number}),
                lambda session: self._keep_stream(number, session),
            )
        elif kind == "text":
            self._server.loop.call_soon_threadsafe(self._receive, number, str(content.get("text")))
        elif kind == "end":
            self._server.loop.call_soon_threadsafe(self._end_stream, number)

    def _send_answer(self, number: int, answer: Answer) -> None:
        told = {"kind": "answer", "id": number, "status": answer.status, "type": answer.content_type}
        self.send(told, [answer.data or b""])

    def _send_stream(self, number: int, message: str | bytes) -> None:
        if isinstance(message, str):
            self.send({"kind": "stream", "id": number, "text": message})
        else:
            self.send({"kind": "stream", "id": number}, [message])

    def _keep_stream(self, number: int, session: StreamSession) -> None:
        """Keep a stream; a page that was closed or loaded again does not tell, so the oldest of many ends."""
        self._end_stream(number)
        self._streams[number] = session
        while len(self._streams) > _MOST_STREAMS:
            oldest = next(iter(self._streams))
            self._end_stream(oldest)
            self.send({"kind": "closed", "id": oldest})
        self.send({"kind": "opened", "id": number})
        if self._beating is None or self._beating.done():
            self._beating = self._server.loop.create_task(self._beat())

    async def _beat(self) -> None:
        """Tell pages that the kernel is there as long as they follow something: nobody tells them when it is not."""
        while self._streams:
            self.send({"kind": "alive"})
            await asyncio.sleep(_BEAT_S)

    def _receive(self, number: int, text: str) -> None:
        session = self._streams.get(number)
        if session is not None:
            session.receive(text)

    def _end_stream(self, number: int) -> None:
        session = self._streams.pop(number, None)
        if session is not None:
            session.close()

    def _end_streams(self) -> None:
        for number in list(self._streams):
            self._end_stream(number)


class _OfRun(_Page):
    """A view of one run, whose traits follow the run."""

    state = traitlets.Unicode(help="State of the run, as `Run.get_status` has it.", read_only=True)

    def __init__(self, run: Run, view: dict[str, Any], **traits: Any) -> None:
        if not isinstance(run, Run):
            raise UserErrorException(
                f"a {type(run).__name__} cannot be shown", hint="give a run, such as the one that `%%submit --as` names"
            )
        super().__init__(os.path.dirname(os.path.dirname(run.directory)), {**view, "run": run.id}, **traits)
        self._tail = RunTail(run.directory, points=_CURVE_POINTS)
        self._take(self._tail.poll())
        if not self._tail.sealed:
            asyncio.run_coroutine_threadsafe(self._follow(), self._server.loop)

    async def _follow(self) -> None:
        while self.comm is not None and not self._tail.sealed:
            await asyncio.sleep(_POLL_S)
            view = await asyncio.to_thread(self._tail.poll)
            if self._tail.changed or self._tail.sealed:
                self._take(view)

    def _take(self, view: RunView) -> None:
        """Set the traits; observers are called in the thread that follows the run."""
        self.set_trait("state", view.state)


class RunWidget(_OfRun):
    """A run: its state, curves, log, files and code.

    Parameters
    ----------
    run
        The run.

    Attributes
    ----------
    state
        Its state.
    metrics
        Last value of each numeric metric, ``{name: float}``.
    """

    metrics = traitlets.Dict(help="Last value of each numeric metric.", read_only=True)

    def __init__(self, run: Run, **traits: Any) -> None:
        super().__init__(run, {"view": "run"}, **traits)

    def _take(self, view: RunView) -> None:
        super()._take(view)
        self.set_trait("metrics", {name: summary.last for name, summary in view.metrics.items()})


class MetricPlot(_OfRun):
    """The live curve of one metric of a run.

    Parameters
    ----------
    run
        The run.
    metric
        Name of the metric; it need not have been logged yet.

    Attributes
    ----------
    state
        State of the run.
    points
        Number of points so far.
    value
        The last one; NaN before the first.
    curve
        ``(steps, values)``, at most 300 points, the extremes among them.
    """

    points = traitlets.Int(help="Number of points so far.", read_only=True)
    value = traitlets.Float(float("nan"), help="The last value.", read_only=True)
    curve = traitlets.Tuple(traitlets.List(), traitlets.List(), help="Steps and values.", read_only=True)

    def __init__(self, run: Run, metric: str, **traits: Any) -> None:
        if type(metric) is not str or not metric:
            raise UserErrorException(f"{metric!r} names no metric", hint='give its name, such as "loss"')
        self._metric = metric
        super().__init__(run, {"view": "metric", "metric": metric}, **traits)

    def _take(self, view: RunView) -> None:
        super()._take(view)
        summary, series = view.metrics.get(self._metric), view.series.get(self._metric)
        with self.hold_trait_notifications():
            if series is not None:
                self.set_trait("curve", (series.x.tolist(), series.y.tolist()))
            if summary is not None:
                self.set_trait("value", summary.last)
                self.set_trait("points", summary.count)


class RunTable(_Page):
    """The table of the runs of a workspace or an experiment.

    Parameters
    ----------
    runs_of
        A workspace or an experiment.
    query
        Which runs, such as ``lr < 0.01 and state == "Completed"``.

    Attributes
    ----------
    query
        As given; the table follows it, and a person may change it.
    selected
        Ids of the runs that a person has chosen.
    """

    query = traitlets.Unicode(help="Which runs are shown.").tag(sync=True)
    selected = traitlets.List(traitlets.Unicode(), help="Ids of the chosen runs.").tag(sync=True)

    def __init__(self, runs_of: Workspace | Experiment, query: str = "", **traits: Any) -> None:
        view: dict[str, Any] = {"view": "runs"}
        if isinstance(runs_of, Experiment):
            view["experiment"] = runs_of.name
            workspace = runs_of.workspace
        elif isinstance(runs_of, Workspace):
            workspace = runs_of
        else:
            raise UserErrorException(
                f"a {type(runs_of).__name__} has no table of runs", hint="give a Workspace or an Experiment"
            )
        super().__init__(workspace.directory.path, view, query=query, **traits)
