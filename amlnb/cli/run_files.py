"""Commands for the files of a run: files, download, bundle."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
import shutil
from typing import Annotated

import typer

from amlnb.cli.output import Column, Json, emit, note, print_table, progress
from amlnb.cli.run_names import RunName, find_run
from amlnb.errors import UserErrorException

_NAMED_AT_MOST = 10
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

Patterns = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAMES...", help="Names, folders, or patterns such as 'outputs/*.pt'. Default: all."),
]


def files(run: RunName, names: Patterns = None, as_json: Json = False) -> None:
    """List the files of a run."""
    from amlnb.render.formatting import format_size, printable

    _, found = _files(run, names)
    sizes = {name: os.stat(path).st_size for name, path in found.items()}
    if as_json:
        emit({"files": [{"name": name, "bytes": sizes[name], "path": path} for name, path in found.items()]})
    elif found:
        columns = [Column("file", [printable(name) for name in found])]
        print_table([*columns, Column("size", [format_size(size) for size in sizes.values()], right=True)])
    else:
        note("the run has no files")


def download(
    run: RunName,
    names: Patterns = None,
    output: Annotated[str, typer.Option("--output", "-o", help="Folder to copy into.")] = ".",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Copy files of a run into a folder, under their own names."""
    from amlnb.core import layout

    _, found = _files(run, names)
    if not names:
        found.pop(layout.DRIVER_LOG_ALIAS, None)  # the same file under its older name
    targets = {name: os.path.join(output, name) for name in found}
    taken = [path for path in targets.values() if os.path.lexists(path)]
    if taken and not overwrite:
        named = ", ".join(map(repr, taken[:_NAMED_AT_MOST]))
        more = f" and {len(taken) - _NAMED_AT_MOST} more" if len(taken) > _NAMED_AT_MOST else ""
        raise UserErrorException(f"there already: {named}{more}", hint="give another --output, or --overwrite")
    with progress() as show:
        for number, (name, path) in enumerate(found.items()):
            show("copying files", number)
            os.makedirs(os.path.dirname(os.path.abspath(targets[name])), exist_ok=True)
            shutil.copyfile(path, targets[name])
    if as_json:
        emit({"files": [{"name": name, "path": os.path.abspath(path)} for name, path in targets.items()]})
    else:
        print(f"{len(found):,} file{'' if len(found) == 1 else 's'} in {os.path.abspath(output)}")


def bundle(
    run: RunName,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Default: <experiment>-<id>.zip here.")
    ] = None,
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="Of its files at most so much, such as 500M or 2G.")
    ] = "1G",
    as_json: Json = False,
) -> None:
    """Write a run into one zip file to hand on.

    It holds the code, definition, environment, git diff, metrics, log and outputs, and index.html to read them by.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.cli.run_names import short_id
    from amlnb.engine.bundle import write_bundle
    from amlnb.render.formatting import format_size

    limit = size(max_size)
    workspace = Workspace.from_config()
    found = find_run(workspace, run)
    path = output or f"{found.experiment}-{short_id(found.id)}.zip".replace("/", "-")
    with progress() as show:
        written = write_bundle(
            found.directory, workspace.directory.objects, os.path.abspath(path), max_bytes=limit, progress=show
        )
    if as_json:
        emit({"path": written.path, "bytes": written.bytes, "left_out": written.left_out})
        return
    print(f"{path} ({format_size(written.bytes)})")
    for name in written.left_out[:_NAMED_AT_MOST]:
        note(f"left out: {name}")
    if len(written.left_out) > _NAMED_AT_MOST:
        note(f"and {len(written.left_out) - _NAMED_AT_MOST} more, see left_out.txt in it")
    if written.variables:
        note(f"it holds the values of these environment variables: {', '.join(written.variables)}")


def size(text: str) -> int:
    """Read a size such as ``500M`` or ``2GB``, in bytes.

    Raises
    ------
    UserErrorException
        It is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UserErrorException(f"{text!r} is no size", hint="such as 500M or 2G")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def matching(found: dict[str, str], wanted: list[str]) -> dict[str, str]:
    """Files whose names are wanted: by name, by a folder above them, or by a pattern.

    Raises
    ------
    UserErrorException
        One of those wanted is not there; a near name is suggested.
    """
    taken: dict[str, str] = {}
    for each in wanted:
        folder = each.rstrip("/") + "/"
        hits = {
            name: path
            for name, path in found.items()
            if name == each or name.startswith(folder) or fnmatch.fnmatchcase(name, each)
        }
        if not hits:
            near = difflib.get_close_matches(each, found, 1)
            has = f"it has: {', '.join(list(found)[:_NAMED_AT_MOST])}" if found else "it has none"
            raise UserErrorException(
                f"the run has no file {each!r}", hint=f"did you mean {near[0]!r}?" if near else has
            )
        taken.update(hits)
    return taken


def _files(run: str, names: list[str] | None) -> tuple[str, dict[str, str]]:
    """Directory of a run and its files, all or those of the names."""
    from amlnb.api.workspace import Workspace
    from amlnb.store.files import list_files

    directory = find_run(Workspace.from_config(), run).directory
    found = list_files(directory)
    return directory, matching(found, names) if names else found
