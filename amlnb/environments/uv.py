"""Running uv: its words go to the build log as they come, without secrets; what is secret goes to it by variables."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from amlnb.environments.builder import BuildLog
from amlnb.environments.index_settings import IndexSettings
from amlnb.errors import EnvironmentBuildException

# What would make uv take another environment, or its Python from elsewhere, than it is told.
_NOT_FOR_US = frozenset(
    [
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONPATH", "PYTHONHOME"),
        *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIR", "UV_CONFIG_FILE", "UV_NO_CONFIG"),
    ]
)


@dataclass(frozen=True)
class Answer:
    """How a command ended.

    Attributes
    ----------
    code
        Its exit status.
    output, told
        Standard output, and what uv said on standard error, without secrets.
    """

    code: int
    output: str
    told: str

    @property
    def words(self) -> str:
        """What was said, with all white space made one blank: uv breaks its lines where they would be long."""
        return " ".join(self.told.split())


class Uv:
    """The program ``uv``.

    Parameters
    ----------
    environ
        The person's environment variables.
    settings
        Where packages come from.
    folder
        Where it runs, and so which of its project files count.
    """

    def __init__(self, environ: Mapping[str, str], settings: IndexSettings, folder: str) -> None:
        self.program = find_program()
        self._environ = environ
        self._settings = settings
        self._folder = folder

    def run(
        self,
        arguments: Sequence[str],
        log: BuildLog,
        *,
        given: str = "",
        quiet: bool = False,
        limit_s: float | None = None,
    ) -> Answer:
        """Run a command.

        Parameters
        ----------
        arguments
            What follows the program's name.
        log
            Gets the lines of standard error, unless ``quiet``.
        given
            Its standard input. uv expands the variables in the addresses there; what it says of them is told, and
            answered, by their names.
        limit_s
            After how many seconds it is ended (exit status 124); None for no limit.
        """
        settings = self._settings.knowing_variables_of(given, self._environ)
        with (
            self._variables() as (environ, configuration, fds),
            tempfile.TemporaryFile("w+", encoding="utf-8") as feed,
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        ):
            feed.write(given)
            feed.seek(0)
            process = subprocess.Popen(
                [self.program, *arguments, *self._settings.arguments, *configuration],
                stdin=feed,
                stdout=out,
                stderr=subprocess.PIPE,
                env=environ,
                cwd=self._folder,
                pass_fds=fds,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            killer = _Killer(process, limit_s)
            said = []
            with process:
                for line in process.stderr or ():
                    text = settings.hide(line.rstrip("\n"))
                    said.append(text)
                    if not quiet:
                        log.line(text)
            killer.stop()
            out.seek(0)
            code = 124 if killer.struck else process.returncode
            return Answer(code, settings.named(out.read()), "\n".join(said))

    def run_alone(self, arguments: Sequence[str]) -> Answer:
        """Run a command that asks no index, and so needs no configuration."""
        done = subprocess.run(
            [self.program, *arguments, "--no-config"],
            env={**self._own_variables(), **self._settings.environ},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        return Answer(done.returncode, "", self._settings.hide(done.stderr))

    @contextlib.contextmanager
    def _variables(self) -> Iterator[tuple[dict[str, str], tuple[str, str], tuple[int, ...]]]:
        """Variables and arguments for uv, and the files behind them: without a name, nothing stays of who is killed."""
        environ = {**self._own_variables(), **self._settings.environ}
        with contextlib.ExitStack() as stack:
            fds = [stack.enter_context(_unnamed(self._settings.configuration))]
            if self._settings.netrc:
                fds.append(stack.enter_context(_unnamed(self._settings.netrc)))
                environ["NETRC"] = f"/dev/fd/{fds[1]}"
            yield environ, ("--config-file", f"/dev/fd/{fds[0]}"), tuple(fds)

    def _own_variables(self) -> dict[str, str]:
        kept = {name: value for name, value in self._environ.items() if name not in _NOT_FOR_US}
        if kept.get("UV_LINK_MODE", "").lower() == "symlink":
            del kept["UV_LINK_MODE"]  # an environment would end with 'uv cache clean'
        return {**kept, "NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


@contextlib.contextmanager
def _unnamed(text: str) -> Iterator[int]:
    with tempfile.TemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.seek(0)
        yield file.fileno()


class _Killer:
    """Ends a process after a time."""

    def __init__(self, process: subprocess.Popen[str], limit_s: float | None) -> None:
        import threading

        self.struck = False
        self._process = process
        self._timer = threading.Timer(limit_s, self._strike) if limit_s is not None else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _strike(self) -> None:
        self.struck = True
        self._process.kill()


def find_program() -> str:
    """Path of uv.

    Raises
    ------
    EnvironmentBuildException
        It is not there.
    """
    try:
        import uv

        return os.fsdecode(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentBuildException(
            f"uv, which builds environments, is not installed beside amlnb: {error}", hint="pip install uv"
        ) from error
