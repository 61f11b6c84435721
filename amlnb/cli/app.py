"""The ``amlnb`` command: its tree of commands, and the one place where errors become text and exit codes.

Exit codes: 0; 1 for an error; 2 for a wrong command line; 130 after Ctrl-C. `run wait`, `submit --wait` and
`rerun --wait` exit as the run did (see `amlnb.cli.run_wait`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from amlnb.cli import (
    environments,
    experiments,
    run_changes,
    run_files,
    run_list,
    run_logs,
    run_show,
    run_wait,
    submission,
    targets,
    upkeep,
)
from amlnb.cli.other_faces import Commands
from amlnb.cli.output import tell_error
from amlnb.errors import AmlnbError
from amlnb.version import __version__

_INTERRUPTED = 130
_PIPE_CLOSED = 141  # what a shell tells of a program that SIGPIPE ended
_USAGE = 2
# Click's UsageError, by whichever name this version of typer has it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class UsageError(AmlnbError):
    """The command line is wrong."""


_GROUPS: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
    "run": (
        "Look at runs, wait for them, change and keep them.",
        {
            "list": run_list.list_runs,
            "show": run_show.show,
            "logs": run_logs.logs,
            "wait": run_wait.wait,
            "cancel": run_changes.cancel,
            "rerun": submission.rerun,
            "files": run_files.files,
            "download": run_files.download,
            "bundle": run_files.bundle,
            "archive": run_changes.archive,
            "reactivate": run_changes.reactivate,
            "delete": run_changes.delete,
            "presume-dead": run_changes.presume_dead,
        },
    ),
    "experiment": (
        "List experiments, put them away and back.",
        {"list": experiments.list_, "archive": experiments.archive, "reactivate": experiments.reactivate},
    ),
    "target": (
        "Machines that runs are sent to.",
        {"add": targets.add, "list": targets.list_, "remove": targets.remove},
    ),
    "env": (
        "Environments: the packages that runs are given.",
        {
            "build": environments.build,
            "list": environments.list_,
            "show": environments.show,
            "lock": environments.lock,
            "remove": environments.remove,
            "gc": environments.gc,
        },
    ),
    "index": ("The index that makes listing fast.", {"rebuild": upkeep.rebuild}),
}


def _build() -> typer.Typer:
    settings = {"help_option_names": ["-h", "--help"]}
    app = typer.Typer(name="amlnb", cls=Commands, add_completion=False, context_settings=settings)
    app.callback(invoke_without_command=True)(_root)
    # What follows the script belongs to it.
    app.command("submit", context_settings={**settings, "allow_interspersed_args": False})(submission.submit)
    for name, (help_, commands) in _GROUPS.items():
        group = typer.Typer(help=help_, context_settings=settings, invoke_without_command=True)
        group.callback()(_group)
        for command, function in commands.items():
            group.command(command, context_settings=settings)(function)
        app.add_typer(group, name=name, help=help_)
    app.command("gc", context_settings=settings)(upkeep.gc)
    app.command("doctor", context_settings=settings)(upkeep.doctor)
    return app


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Submit training code, watch its runs, keep everything of them.

    Works in the workspace of the current directory: the first .azureml/config.json or .amlnb at it or above it.
    """
    if version:
        print(f"amlnb {__version__}")
        raise typer.Exit
    _group(context)


def _group(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    arguments
        What follows the program's name; ``sys.argv`` by default.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding does not have must not cost the rest of the output.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # A script's own --json, after its name, also counts: it only changes how an error of ours is written.
    as_json = "--json" in arguments
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has enough. What is still buffered must not complain when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except _UsageError as error:
        _tell_usage(error, as_json=as_json)
        return _USAGE
    except (AmlnbError, OSError) as error:
        tell_error(error, as_json=as_json)
        return 1
    return code


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(_build())
    try:
        # Not by command.main(): its own handling of interrupts and closed pipes would come first.
        with command.make_context("amlnb", arguments) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return _INTERRUPTED
    return 0


def _tell_usage(error: Exception, *, as_json: bool) -> None:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "amlnb"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    tell_error(UsageError(message, hint=_usage_hint(message, path)), as_json=as_json)


def _usage_hint(message: str, path: str) -> str:
    """What to do about a usage error: the group a command belongs to, or where its help is."""
    wanted = message.partition("No such command '")[2].partition("'")[0]
    if wanted in _GROUPS["run"][1] and path == "amlnb":
        return f"did you mean 'amlnb run {wanted}'?"
    if path.endswith(" submit") and message.startswith("No such option"):
        return "the script's own options stand after the script: amlnb submit train.py --lr 0.1"
    return f"'{path} --help' tells how it is used"
