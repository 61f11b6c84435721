"""``amlnb studio`` and ``amlnb open``."""

from __future__ import annotations

import asyncio
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.api.workspace import Workspace

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_Json = Annotated[bool, typer.Option("--json", help="Print JSON; its keys are in docs/cli.md.")]

studio = typer.Typer(context_settings=_SETTINGS, add_completion=False)
opening = typer.Typer(context_settings=_SETTINGS, add_completion=False)


@studio.command("studio", context_settings=_SETTINGS)
def serve_studio(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of the project.")] = ".",
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Default: one fixed by the workspace's path.")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print an address that logs a browser in, and open none.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Serve the pages of a workspace on this machine until Ctrl-C; they only read.

    Where Jupyter runs with amlnb, its pages are there already: 'amlnb open' shows them.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.engine import served_pages
    from amlnb.server.studio import serve, studio_of
    from amlnb.server.studio_key import login_page, token
    from amlnb.store.known_workspaces import key_of

    data = Workspace.from_config(folder).directory.path
    try:
        listener = served_pages.listening(data, port)
    except OSError as error:
        raise UserErrorException(
            f"port {port} cannot be listened on: {error.strerror}", hint="take another one, or none: --port is optional"
        ) from error
    path = f"/{served_pages.PAGE}w/{key_of(data)}"

    def tell(base: str) -> None:
        address = base.rstrip("/") + path
        if no_browser or not webbrowser.open(Path(login_page(base, path)).as_uri()):
            address += f"?token={token()}"
        _tell(address, "Ctrl-C ends it", as_json=as_json)

    asyncio.run(serve(studio_of(data), listener, on_start=tell))


@opening.command("open", context_settings=_SETTINGS)
def open_page(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN", help="A run: its id, a unique beginning or end of it, EXPERIMENT#NUMBER, or 'last'."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Open the page of the workspace, or of a run, in the browser, which it logs in.

    In the Jupyter server that runs here with amlnb, if there is one; else in a studio, which is started if need be.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.engine import served_pages

    workspace = Workspace.from_config()
    page = served_pages.page_of(workspace.directory.path)
    address = page if run is None else served_pages.run_page(page, _run_id(workspace, run))
    to_open, note = _logging_in(workspace.directory.path, address)
    if not webbrowser.open(to_open):
        note = "there is no browser here; 'amlnb studio --no-browser' prints an address for one elsewhere"
    _tell(address, note, as_json=as_json)


def _logging_in(data: str, address: str) -> tuple[str, str]:
    """What a browser opens to be logged in and led to an address of a workspace, and what is to be said of it."""
    from amlnb.engine import served_pages
    from amlnb.server.studio_key import jupyter_login_page, login_page
    from amlnb.store.plain_files import read_json

    path = urlsplit(address).path
    studio, jupyter = served_pages.studio_of(data), served_pages.jupyter_of(data)
    if jupyter is not None and address.startswith(jupyter.url):
        info = (jupyter.info_file and read_json(jupyter.info_file)) or {}
        if info.get("token"):
            return Path(jupyter_login_page(jupyter.url, str(info["token"]), path)).as_uri(), ""
        return address, "the browser may ask for the password of that Jupyter server: its files hold no token"
    if studio is not None and address.startswith(studio):
        return Path(login_page(studio, path)).as_uri(), ""
    return address, ""


def _tell(address: str, note: str, *, as_json: bool) -> None:
    from amlnb.render.strict_json import strict_json

    typer.echo(strict_json({"url": address}) if as_json else address)
    if note:
        typer.echo(note, err=True)


def _run_id(workspace: Workspace, name: str) -> str:
    from amlnb.store.index import Index
    from amlnb.store.run_names import choose

    if workspace.directory.find_run(name) is not None:
        return name
    return choose(name, Index(workspace.directory).list_runs()).id
