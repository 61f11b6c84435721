"""The errors of amlnb: one tree, whose children differ by what the caller can do about them.

The names that Azure ML's SDK v1 had keep their v1 names, so that ``except`` clauses written for it still work.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple


_SHELL = "/IPython/core/"
# Code written for v1 may read the text of an error: set once it has imported the azureml names.
v1_texts = False


class AmlnbError(Exception):
    """Root of all errors raised on purpose by amlnb.

    Parameters
    ----------
    message
        What happened, with the offending value, and why.
    hint
        What the reader can do about it; shown on a line of its own that begins with ``hint:``.
    """

    def __init__(self, message: str = "", hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def told(self) -> str:
        """The message with its hint, as people read it."""
        return self.message if not self.hint else f"{self.message}\nhint: {self.hint}"

    def __str__(self) -> str:
        return _as_v1(self) if v1_texts else self.told

    def __reduce__(self) -> Tuple[Any, ...]:
        return (type(self), (self.message, self.hint))

    def _render_traceback_(self) -> List[str]:
        """Lines that a notebook shows (IPython asks for them): the caller's own, and none of ours."""
        import os
        import traceback

        ours = os.path.dirname(os.path.abspath(__file__)) + os.sep
        lines = []
        for frame in traceback.extract_tb(self.__traceback__):
            if frame.filename.startswith(ours) or _SHELL in frame.filename.replace(os.sep, "/"):
                continue
            is_cell = "ipykernel_" in frame.filename or frame.filename.startswith("<")
            where = "" if is_cell else f"{os.path.basename(frame.filename)}, "
            lines.append("  {}line {}: {}".format(where, frame.lineno, frame.line or ""))
        return [*lines, *f"\x1b[31m{type(self).__name__}\x1b[0m: {self.told}".split("\n")]


class UserErrorException(AmlnbError):
    """Something given by the caller is wrong; the same call will fail again until it is changed."""


class RunEnvironmentException(AmlnbError):
    """Asked for the run this process belongs to, where there is none."""


class SnapshotException(UserErrorException):
    """The source directory cannot be kept as it is (too large, unreadable, changing)."""


class RunConfigurationException(UserErrorException):
    """A run configuration holds a value of the wrong type or of an unknown meaning."""


class ComputeTargetException(UserErrorException):
    """A compute target is missing or cannot do what was asked."""


class FormatError(UserErrorException):
    """A file of ours cannot be understood: damaged, or written by a newer version."""


class ExperimentExecutionException(AmlnbError):
    """A run could not be submitted, or watching it was interrupted."""


class ActivityFailedException(AmlnbError):
    """The run that was waited for has Failed."""


class RunFailedError(ActivityFailedException):
    """The run whose result was asked for has Failed; the message is the run's own.

    Attributes
    ----------
    run_id
        The run.
    """

    def __init__(self, message: str = "", hint: Optional[str] = None, run_id: Optional[str] = None) -> None:
        super().__init__(message, hint)
        self.run_id = run_id

    def __reduce__(self) -> Tuple[Any, ...]:
        return (type(self), (self.message, self.hint, self.run_id))


class ModelPathNotFoundException(UserErrorException):
    """A model's path is not among the files of the run."""


class WebserviceException(UserErrorException):
    """A model is missing or its name is not valid (v1 used this class for both)."""


class TrainingException(UserErrorException):
    """An estimator was given what it cannot train with."""


class NotServedException(UserErrorException, NotImplementedError):
    """A part of Azure ML's SDK v1 that amlnb does not serve, or not yet."""


class EnvironmentBuildException(AmlnbError):
    """The environment of a run could not be made; the message holds the tool's own words."""


class BackendUnavailable(AmlnbError):
    """An engine or a host does not answer at the moment; the same call may succeed later."""


def text_of(error: BaseException) -> str:
    """The text of any error as people read it, whoever else runs in this process."""
    return error.told if isinstance(error, AmlnbError) else str(error)


def _as_v1(error: AmlnbError) -> str:
    """The text that the errors of v1 had: class, message, inner exception, and the error as JSON."""
    import json

    response = {"error": {"code": "UserError" if isinstance(error, UserErrorException) else "SystemError"}}
    response["error"]["message"] = error.told
    inner = error.__cause__
    told = "None" if inner is None else f"{type(inner).__name__}: {text_of(inner)}"
    message = error.told.replace("\n", "\n\t")
    return (
        f"{type(error).__name__}:\n\tMessage: {message}\n\tInnerException {told}\n\tErrorResponse \n"
        f"{json.dumps(response, indent=4)}"
    )


def told_error(code: str, error: BaseException) -> Dict[str, str]:
    """Put an exception into the form of a run's error: code, message and, where there is one, hint."""
    told = {"code": code, "message": error.message if isinstance(error, AmlnbError) else str(error)}
    if isinstance(error, AmlnbError) and error.hint:
        told["hint"] = error.hint
    return told
