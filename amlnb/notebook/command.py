"""``amlnb notebook``: what the command line does with notebooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.errors import AmlnbError

if TYPE_CHECKING:
    from amlnb.notebook.refresh import Refreshed

_USAGE = 2
_SETTINGS = {"help_option_names": ["-h", "--help"]}
_NAMED_AT_MOST = 3

app = typer.Typer(help="Notebooks with runs in them.", context_settings=_SETTINGS, invoke_without_command=True)


@app.callback()
def _group(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(_USAGE)


@app.command("refresh", context_settings=_SETTINGS)
def refresh(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Notebooks (.ipynb).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; its keys are in docs/cli.md.")] = False,
) -> None:
    """Write the present state of its runs into a saved notebook, for runs that went on after its kernel had ended.

    Only the outputs of runs change; a run that the workspace of its folder does not have keeps what it shows.

    Where the notebook is open, save it first, and reload it from disk afterwards: an open tab would write its own back.
    """
    from amlnb.notebook.refresh import refresh as refreshed
    from amlnb.render.strict_json import strict_json

    done: list[Refreshed] = []
    refused: AmlnbError | OSError | None = None
    for file in files:
        try:
            done.append(refreshed(file))
        except (AmlnbError, OSError) as error:  # the other notebooks are no worse for it
            if refused is not None:
                print(refused, file=sys.stderr)
            refused = error
        else:
            if not as_json:
                print(_told(done[-1]))
    if as_json:
        print(strict_json({"notebooks": [_json(each) for each in done]}))
    if refused is not None:
        raise refused


def _told(found: Refreshed) -> str:
    total = found.refreshed + found.unchanged
    if not total and not found.gone:
        return f"{found.path}: it has no outputs of runs"
    text = f"{found.path}: {found.refreshed} of {total} outputs refreshed"
    if found.going:
        text += f"; still going: {_names(found.going)}"
    if found.gone:
        text += f"; not in this workspace, left as they are: {_names(found.gone)}"
    return text


def _names(ids: tuple[str, ...]) -> str:
    from amlnb.render.formatting import one_line

    more = f" and {len(ids) - _NAMED_AT_MOST} more" if len(ids) > _NAMED_AT_MOST else ""
    return ", ".join(one_line(each, 120) for each in ids[:_NAMED_AT_MOST]) + more


def _json(found: Refreshed) -> dict[str, object]:
    return {
        "path": found.path,
        "refreshed": found.refreshed,
        "unchanged": found.unchanged,
        "going": list(found.going),
        "gone": list(found.gone),
    }
