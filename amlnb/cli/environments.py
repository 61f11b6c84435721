"""Commands for environments: build ahead, list, show, lock, remove, collect."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amlnb.cli.output import Column, Json, emit, note, print_table
from amlnb.errors import EnvironmentBuildException, UserErrorException

if TYPE_CHECKING:
    from amlnb.environments.lock import Lock
    from amlnb.environments.prefixes import Built
    from amlnb.environments.requests import Found
    from amlnb.specs.environment_spec import EnvironmentSpec

_KEY = re.compile(r"[0-9a-f]{6,32}")
_SHOWN_KEY = 12
_SHOWN_PACKAGES = 2
_DAY_S = 86400

Word = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="requirements.txt, environment.yml, a registered NAME, python=3.11,torch==2.13.0, docker:IMAGE, a Python, "
        "a lock, or 'inline'. Default: the project's, \\[tool.amlnb.env] of pyproject.toml.",
        show_default=False,
    ),
]
Conda = Annotated[
    bool, typer.Option("--conda", help="Take a specification's conda packages themselves, not those of PyPI.")
]
Script = Annotated[
    str | None, typer.Option("--script", metavar="FILE", help="The script or notebook whose metadata 'inline' means.")
]


def build(word: Word = None, conda: Conda = False, script: Script = None, as_json: Json = False) -> None:
    """Build an environment now; a run that asks for it then starts at once."""
    from amlnb.engine import environments

    data = _made_workspace(as_json=as_json)
    spec = _asked_for(word, data, script, conda=conda)
    if _is_there(spec):
        _tell_as_it_is(spec, as_json=as_json)
        return
    lines = 0

    def show_line(line: str) -> None:
        nonlocal lines
        lines += 1
        note(line)

    try:
        with _ended_with_its_builder():
            found = environments.build(spec, data, (lambda _: None) if as_json else show_line)
    except EnvironmentBuildException as error:
        if not lines:
            raise
        raise EnvironmentBuildException("the environment was not built: see above") from error
    if as_json:
        emit(_found(found))
    else:
        print(found.interpreter or f"image {found.lock.image}" if found.lock else "")


def list_(as_json: Json = False) -> None:
    """List the environments that are built on this host, and those that the workspace has by name."""
    from amlnb.engine import environments
    from amlnb.environments import registered
    from amlnb.render.formatting import format_size

    data = _workspace()
    built = environments.built(data)
    damaged: list[str] = []
    named = registered.every(data, damaged.append) if data else []
    if as_json:
        names = [{"name": one.name, "version": one.version, "created": one.created} for one in named]
        emit({"environments": [_built(one) for one in built], "registered": names, "unreadable": damaged})
        return
    if built:
        print_table(
            [
                Column("environment", [one.key[:_SHOWN_KEY] for one in built]),
                Column("of", [_called(one) for one in built]),
                Column("python", [one.lock.python for one in built]),
                Column("packages", [f"{len(one.lock.packages):,}" for one in built], right=True),
                Column("size", [format_size(one.bytes) for one in built], right=True),
                Column("last used", [_ago(one) for one in built], right=True, optional=True),
            ]
        )
        total, own = sum(one.bytes for one in built), sum(one.own_bytes for one in built)
        print(f"{format_size(total)}, of which {format_size(own)} are in no other place")
    else:
        print("no environment is built on this host")
    if named:
        print()
        print_table(
            [Column("name", [one.name for one in named]), Column("version", [one.version for one in named], right=True)]
        )
    for text in damaged:
        note(f"warning: {text}")


def show(word: Word = None, conda: Conda = False, script: Script = None, as_json: Json = False) -> None:
    """Show what an environment is: by its key, or by what asks for it."""
    from amlnb.api.environment_words import asked_with_lock, inline_text
    from amlnb.api.workspace import Workspace
    from amlnb.engine import environments

    data = _workspace()
    one = _of_key(word, data) if word else None
    if one is not None:
        if as_json:
            emit({**_built(one), "lock": one.lock.to_dict()})
        else:
            print(f"{one.key}  {one.prefix}")
            _print_lock(one.lock)
        return
    data = data or Workspace.from_config().directory.path  # says that there is none
    inline = inline_text(script) if script else None
    spec, lock = asked_with_lock(word, data, os.getcwd(), inline=inline, conda=conda)
    if spec is None:
        raise _nothing_asked()
    if _is_there(spec):
        _tell_as_it_is(spec, as_json=as_json)
        return
    request, found = environments.find(spec, data, lock)
    if as_json:
        emit({"request": request.key, "specification": request.spec.to_dict(), **_found(found)})
        return
    _print_specification(request.spec)
    if found.lock is None:
        print("not locked yet: 'amlnb env lock' decides what it is, 'amlnb env build' makes it")
        return
    print(f"built: {found.prefix or 'no'}")
    _print_lock(found.lock)


def lock(
    word: Word = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Decide anew: the newest packages that meet what is asked for.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Also write it to a file (.json), for --env elsewhere."),
    ] = None,
    conda: Conda = False,
    script: Script = None,
    as_json: Json = False,
) -> None:
    """Decide what an environment is, exactly, without building it.

    A request keeps its first lock; --upgrade tells what changes by a new one.
    """
    from amlnb.api.environment_words import lock_text
    from amlnb.engine import environments

    data = _made_workspace(as_json=as_json)
    spec = _asked_for(word, data, script, conda=conda)
    if _is_there(spec):
        raise UserErrorException(
            f"{word or spec.origin!r} asks for a Python that is used as it is: there is nothing to lock",
            hint="give packages or a file, such as requirements.txt",
        )
    request, before = environments.find(spec, data)
    with _ended_with_its_builder():
        found = environments.lock(spec, data, (lambda _: None) if as_json else note, upgrade=upgrade)
    changes = _changes(before.lock, found)
    if output is not None:
        with open(output, "w", encoding="ascii") as file:
            file.write(lock_text(request.spec, found))
    if as_json:
        emit({"request": request.key, "lock": found.to_dict(), "changes": changes, "path": output})
        return
    if before.lock is None:
        _print_lock(found)
    elif changes:
        for name, (old, new) in changes.items():
            print(f"{name}  {old or 'none'} -> {new or 'none'}")
    else:
        print(f"nothing changed: {_counted(found)}")


def remove(
    keys: Annotated[
        list[str], typer.Argument(metavar="KEY...", help="Key, or a unique beginning.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Remove built environments from this host; a run that asks for one has the very same built again."""
    from amlnb.engine import environments
    from amlnb.render.formatting import format_size

    freed = sum(environments.remove(key) for key in keys)
    if as_json:
        emit({"removed": keys, "bytes": freed})
    else:
        print(f"{format_size(freed)} are free")


def gc(
    days: Annotated[float, typer.Option("--days", min=0, help="Not used for so many days.")] = 30,
    as_json: Json = False,
) -> None:
    """Remove environments of this host that were not used for long, and what killed builds left."""
    from amlnb.engine import environments
    from amlnb.render.formatting import format_size

    freed = environments.gc(days)
    if as_json:
        emit({"removed": list(freed.keys), "bytes": freed.bytes, "in_use": list(freed.in_use)})
        return
    for key in freed.keys:
        print(f"removed {key[:_SHOWN_KEY]}")
    for key in freed.in_use:
        note(f"kept: {key[:_SHOWN_KEY]} is in use")
    print(f"{format_size(freed.bytes)} are free")


@contextlib.contextmanager
def _ended_with_its_builder() -> Iterator[None]:
    """A builder that this process waits for is ended by what ends this process, as it is by Ctrl-C."""

    def end(*_: object) -> None:
        raise typer.Exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _workspace() -> str | None:
    """Data directory of the workspace; None where there is none."""
    from amlnb.api.workspace import Workspace
    from amlnb.store import workspace_dir

    if workspace_dir.find_config(".") is None and workspace_dir.find_data(".") is None:
        return None
    return Workspace.from_config().directory.path


def _made_workspace(*, as_json: bool) -> str:
    from amlnb.api.workspace import Workspace

    workspace, made = Workspace.find_or_create()
    if made and not as_json:
        note(f"made a workspace in {workspace.directory.path}")
    return workspace.directory.path


def _asked_for(word: str | None, data: str, script: str | None, *, conda: bool) -> EnvironmentSpec:
    from amlnb.api.environment_words import asked_for, inline_text

    found = asked_for(word, data, os.getcwd(), inline=inline_text(script) if script else None, conda=conda)
    if found is None:
        raise _nothing_asked()
    return found


def _nothing_asked() -> UserErrorException:
    return UserErrorException(
        "no environment is named, and no pyproject.toml here or above has [tool.amlnb.env]",
        hint="give one, such as requirements.txt",
    )


def _called(one: Built) -> str:
    """What people call it; of packages that were named themselves, the first of them."""
    packages = [f"{each.name}=={each.version}" for each in one.lock.packages]
    more = ", ..." if len(packages) > _SHOWN_PACKAGES else ""
    return ", ".join(one.names) or ", ".join(packages[:_SHOWN_PACKAGES]) + more


def _of_key(word: str, data: str | None) -> Built | None:
    from amlnb.engine import environments

    found = environments.built(data, word) if _KEY.fullmatch(word) else []
    return found[0] if len(found) == 1 else None


def _is_there(spec: EnvironmentSpec) -> bool:
    """Tell whether nothing is built for a specification: a Python that exists, or the workspace's own."""
    from amlnb.environments.asking import is_workspaces, normal
    from amlnb.specs.environment_spec import EXISTING

    return spec.kind == EXISTING or is_workspaces(normal(spec))


def _tell_as_it_is(spec: EnvironmentSpec, *, as_json: bool) -> None:
    from amlnb.environments import existing, interpreters

    path = existing.interpreter_of(spec.interpreter, os.environ) if spec.interpreter else interpreters.own().path
    if as_json:
        emit({"specification": spec.to_dict(), "interpreter": path})
        return
    note("used as it is: there is nothing to build")
    print(path)


def _print_specification(spec: EnvironmentSpec) -> None:
    for title, value in _told(spec):
        if isinstance(value, str):
            print(f"{title}: {value}")
        elif value:
            print(f"{title}:", *value, sep="\n  ")
    for text in (*spec.news, *spec.notes):
        note(f"note: {text}")


def _told(spec: EnvironmentSpec) -> Iterator[tuple[str, str | Sequence[str]]]:
    """What a specification says, by the words of those who write one."""
    if spec.name:
        yield "name", spec.name + (f", version {spec.version}" if spec.version else "")
    if spec.origin and spec.origin != spec.name:
        yield "from", spec.origin
    if spec.python:
        soft = spec.python_is_soft and not spec.strict and not spec.use_conda
        yield "Python", spec.python + (" (or else the workspace's own)" if soft else "")
    if spec.interpreter or spec.image:
        yield "uses", spec.interpreter or f"image {spec.image}"
    if spec.dockerfile:
        yield "Dockerfile", spec.dockerfile.splitlines()
    yield "packages of conda", spec.conda
    yield "channels", spec.channels
    yield "packages", spec.pip
    yield "no others than", spec.constraints
    yield "options of pip", spec.pip_options
    yield "variables", [f"{name}={value}" for name, value in spec.variables.items()]
    if spec.strict:
        yield "strict", "a pin that cannot be met is an error"


def _print_lock(lock: Lock) -> None:
    print(f"Python {lock.python}, {lock.platform}, {lock.tool}, {_counted(lock)}")
    if lock.packages:
        print_table(
            [
                Column("package", [one.name for one in lock.packages]),
                Column("version", [one.version for one in lock.packages]),
            ]
        )
    for text in lock.notes:
        note(f"note: {text}")


def _counted(lock: Lock) -> str:
    from amlnb.environments.builder import counted

    return counted(len(lock.packages), "package")


def _changes(before: Lock | None, after: Lock) -> dict[str, tuple[str | None, str | None]]:
    old, new = before.versions() if before else {}, after.versions()
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _built(one: Built) -> dict[str, Any]:
    return {
        "key": one.key,
        "names": list(one.names),
        "python": one.lock.python,
        "packages": one.lock.versions(),
        "bytes": one.bytes,
        "own_bytes": one.own_bytes,
        "last_used": one.last_used,
        "in_use": one.in_use,
        "prefix": one.prefix,
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "key": found.lock.key if found.lock else None,
        "prefix": found.prefix,
        "interpreter": found.interpreter,
        "image": found.lock.image if found.lock else None,
        "python": found.lock.python if found.lock else None,
        "packages": found.lock.versions() if found.lock else None,
        "notes": list(found.lock.notes) if found.lock else [],
    }


def _ago(one: Built) -> str:
    if one.in_use:
        return "now"
    days = int((time.time() - one.last_used) / _DAY_S)
    return f"{days} days ago" if days > 1 else "yesterday" if days else "today"
