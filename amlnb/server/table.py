"""The table of routes: everything that can be asked, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amlnb.core import layout
from amlnb.server import (
    changing,
    comparing,
    content_contract,
    contract,
    openapi,
    preview,
    reading,
    run_code,
    run_files,
    run_log,
    run_metrics,
    run_series,
    submitting,
)
from amlnb.server.parameters import (
    Parameter,
    choice,
    flag,
    list_of,
    number,
    or_null,
    text,
    texts_by_name,
    truth,
    whole,
)
from amlnb.server.routes import ATTACHMENT, FRAMES, Answer, Route

if TYPE_CHECKING:
    from amlnb.server.served import Served

_RUN = "w/{workspace}/runs/{run}"
_FOLDER = Parameter("folder", text(), "a folder below the server's root; the root itself by default")
_NAME = Parameter("name", text(2000), "its name among the files of the run", required=True)
_LOG = Parameter("file", text(2000), "the name of the log", layout.USER_LOG)
_FROM = Parameter("from", whole(0, 1 << 62), "a byte of it; its beginning by default, or backward its end")
_DIRECTION = Parameter("direction", choice(run_log.FORWARD, run_log.BACKWARD), "from there", run_log.FORWARD)
_CHOSEN = (
    Parameter("experiment", text(300), "only its runs"),
    Parameter("parent", text(300), "only child runs of this one"),
    Parameter("query", text(2000), 'a typed query: lr < 0.01 and state == "Completed"'),
    Parameter("search", text(300), "words that all stand somewhere in a run's names, tags and parameters"),
    Parameter("archived", flag(), "archived ones, too", default=False),
)


def _openapi(_: Served, __: dict[str, Any]) -> Answer:
    return Answer(openapi.document(ROUTES))


ROUTES: tuple[Route, ...] = (
    Route("GET", "openapi", _openapi, "This description.", dict[str, Any]),
    Route("GET", "about", reading.about, "What serves, and where its page is.", contract.About),
    Route(
        "GET", "workspaces", reading.workspaces, "The workspaces, that of the folder first.", contract.Workspaces,
        (_FOLDER,),
    ),
    Route(
        "GET", "find", reading.find, "The workspace that holds a run.", contract.Found,
        (Parameter("run", text(300), "its full id", required=True), _FOLDER),
    ),
    Route("GET", "w/{workspace}/experiments", reading.experiments, "The experiments.", contract.Experiments),
    Route(
        "GET", "w/{workspace}/runs", reading.runs, "A page of the table of runs.", contract.Runs,
        (
            *_CHOSEN,
            Parameter("sort", text(400), "a column: created, elapsed, metrics.NAME, parameters.NAME, ...", "created"),
            Parameter("descending", flag(), "the largest first", default=True),
            Parameter("offset", whole(0, 10**9), "rows before the first one", default=0),
            Parameter("limit", whole(1, 1000), "rows at most", default=200),
        ),
    ),
    Route(
        "GET", "w/{workspace}/groups", reading.groups, "The runs by the values of a column.", contract.Groups,
        (Parameter("by", text(400), "a column, as for sort", required=True), *_CHOSEN),
    ),
    Route(
        "GET", f"{_RUN}/series", run_series.series, "Points of metrics, as frames (see docs/server.md).", FRAMES,
        (
            Parameter("name", text(300), "a metric; the position of its name is the number of its frame", many=True),
            Parameter("axis", choice("step", "time"), "of what `low` and `high` are", "step"),
            Parameter("low", number(), "only from here on, and the nearest point before"),
            Parameter("high", number(), "only up to here, and the nearest point behind"),
            Parameter("points", whole(8, 20_000), "points of each at most", 2000),
            Parameter("system", flag(), "names of what was sampled of the machine", default=False),
        ),
    ),
    Route(
        "GET", f"{_RUN}/log", run_log.log, "Lines of a log, as a terminal shows them.", content_contract.LogPart,
        (
            _LOG, _FROM, Parameter("bytes", whole(1, 1 << 20), "so much of it, about", 1 << 16),
            _DIRECTION,
        ),
    ),
    Route(
        "GET", f"{_RUN}/log/search", run_log.search, "Lines of a log that hold a text.", content_contract.LogMatches,
        (
            _LOG, Parameter("text", text(300), "whatever its case", required=True), _FROM, _DIRECTION,
            Parameter("limit", whole(1, 1000), "lines at most", 100),
        ),
    ),
    Route("GET", f"{_RUN}/files", run_files.files, "The names of the files.", content_contract.Files),
    Route("GET", f"{_RUN}/preview", preview.preview, "What a file holds.", content_contract.Preview, (_NAME,)),
    Route(
        "GET", f"{_RUN}/download", run_files.download, "A file; a Range asks for a part.", ATTACHMENT,
        (_NAME, Parameter("inline", flag(), "a picture as one, to be shown", default=False)),
    ),
    Route("GET", f"{_RUN}/metrics", run_metrics.logged, "What was logged, without points.", content_contract.Metrics),
    Route("GET", f"{_RUN}/code", run_code.code, "The files of the source.", content_contract.Code),
    Route(
        "GET", f"{_RUN}/code/text", run_code.code_text, "A file of the source.", content_contract.CodeText,
        (Parameter("path", text(2000), "its path among them", required=True),),
    ),
    Route(
        "GET", f"{_RUN}/code/diff", run_code.code_diff, "How the source differs.", content_contract.CodeDiff,
        (
            Parameter("path", text(2000), "one file; all that differ by default"),
            Parameter("against", text(300), "present, or the id of another run", run_code.PRESENT),
        ),
    ),
    Route(
        "GET", f"{_RUN}/outputs", comparing.outputs, "Its outputs in a saved notebook.", content_contract.Outputs
    ),
    Route(
        "GET", "w/{workspace}/compare", comparing.compare, "Runs side by side.", content_contract.Comparison,
        (Parameter("run", text(300), "the id of a run", many=True),),
    ),
    Route("GET", _RUN, reading.run, "A run, without its points, log and files.", contract.RunDocument),
    Route(
        "POST", f"{_RUN}/cancel", changing.cancel, "Ask for its end.", contract.RunDocument, body=(), acts=True,
    ),
    Route(
        "PATCH", _RUN, changing.change, "Rename, tag, archive it.", contract.RunDocument, acts=True,
        body=(
            Parameter("name", or_null(text(300)), "its name; null for none"),
            Parameter("archived", truth(), "left out of listings"),
            Parameter("tags", texts_by_name(or_null(text())), "tags to set; null is a tag without a value"),
            Parameter("remove_tags", list_of(text(300)), "tags to take away"),
        ),
    ),
    Route(
        "DELETE", _RUN, changing.delete, "Delete a run that has ended.", None,
        (Parameter("children", flag(), "its child runs too", default=False),), status=204, acts=True,
    ),
    Route(
        "POST", f"{_RUN}/resubmit", changing.resubmit, "Run it again.", contract.Submitted, body=(), acts=True,
    ),
    Route(
        "POST", "submissions", submitting.submit, "Submit a script or a notebook.", contract.Submitted, acts=True,
        body=(
            Parameter("path", text(), "its path below the server's root", required=True),
            Parameter("target", text(300), "the name of a compute target; local by default"),
            Parameter("environment", text(), "a name or a file, as after --env"),
            Parameter("experiment", text(255), "by default called after the file's folder, or the notebook"),
            Parameter("parameters", texts_by_name(text()), "of a notebook"),
            Parameter("arguments", text(), "of a script, as they are typed after its name"),
        ),
    ),
    Route(
        "GET", "parameters", submitting.parameters, "The parameters of a notebook.", contract.NotebookParameters,
        (Parameter("path", text(), "its path below the server's root", required=True),), acts=True,
    ),
    Route(
        "GET", "choices", submitting.choices, "What a submission may ask for.", contract.Choices, (_FOLDER,), acts=True,
    ),
)  # fmt: skip
