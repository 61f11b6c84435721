"""The names of Azure ML's SDK v1, and which of them amlnb serves: asked of the classes themselves.

``v1_names.json`` holds what some 500 public notebooks and scripts use of that SDK: classes, members, signatures and
how often each occurs.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import importlib.resources
import inspect
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from amlnb.overwritten import own_folder
from amlnb.placeholders import Placeholder

SERVED, PARTLY, NOT_SERVED, UNKNOWN = "served", "partly", "not served", "unknown"
# Objects of the one are in truth of the other, which has more.
_IN_TRUTH = {"ComputeTarget": "AmlCompute"}
_PARAMETER = re.compile(r"(?:^|, )([A-Za-z_]\w*)(?==|,|\)|$)")


# What is there and does less than it says, or what a parameter is not served for.
_PARTS = {
    "Estimator(inputs=)": "datasets are not served yet",
    "Experiment.submit(continue_on_step_failure=)": "pipelines are not served yet",
    "Experiment.submit(pipeline_parameters=)": "pipelines are not served yet",
    "Experiment.submit(regenerate_outputs=)": "pipelines are not served yet",
    "Run.input_datasets": "always empty: datasets are not served yet",
    "Run.output_datasets": "always empty: datasets are not served yet",
    "Workspace.datasets": "always empty: datasets are not served yet",
    "Workspace.datastores": "always empty: datastores are not served yet",
    "Workspace.images": "always empty: amlnb makes no images",
    "Workspace.webservices": "always empty: amlnb serves no models",
}
_ESTIMATORS = ("Chainer", "PyTorch", "SKLearn", "TensorFlow")


@dataclass(frozen=True)
class Status:
    """Whether a name is served.

    Attributes
    ----------
    word
        ``served``, ``partly``, ``not served``, or ``unknown`` (neither amlnb nor what is known of v1 has it).
    note
        What is missing, or what to do instead; empty where there is nothing to say.
    """

    word: str
    note: str = ""


@dataclass(frozen=True)
class Use:
    """A member of a class of v1, as it is used.

    Attributes
    ----------
    head, every
        How often it occurs in the notebooks that were current at the end, and in those and older ones.
    """

    owner: str
    member: str
    head: int
    every: int
    status: Status


@functools.cache
def table() -> dict[str, Any]:
    """What is known of v1: ``{"imports": {module: names}, "classes": {name: {"module", "members"}}}``."""
    text = importlib.resources.files("amlnb.api").joinpath("v1_names.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def uses() -> Iterator[Use]:
    """Every member that is known to be used, with its status, by class."""
    for owner, described in table()["classes"].items():
        for member, use in described["members"].items():
            yield Use(owner, member, use["head"], use["all"], status_of_use(owner, member))


def status_of_use(owner: str, member: str) -> Status:
    """Status of a member as the table writes it: ``name``, ``name()``, ``name =``, ``name.of_its_value()``."""
    described = table()["classes"][owner]
    use = described["members"][member]
    first = member.rstrip(" =").removesuffix("()").split(".")[0]
    status = status_of_member(described["module"], owner, first)
    if status.word != SERVED or not member.endswith("()") or "." in member:
        return status
    wanted = [*_parameters(use.get("signature", "")), *use.get("keywords", ())]
    status_of = functools.partial(status_of_parameter, described["module"], owner, first)
    lacking = [name for name in dict.fromkeys(wanted) if status_of(name).word != SERVED]
    return Status(PARTLY, f"without {', '.join(lacking)}") if lacking else status


@functools.cache
def status_of_import(module: str, name: str | None = None) -> Status:
    """Status of a module, or of a name of one."""
    try:
        found: Any = _module(module)
    except ImportError:
        return Status(UNKNOWN, f"amlnb has no module {module}")
    if name is None:
        hint = getattr(found, "amlnb_hint", None)
        return Status(SERVED) if hint is None else Status(NOT_SERVED, hint)
    if not hasattr(found, name):
        try:
            _module(f"{module}.{name}")
        except ImportError:
            return Status(UNKNOWN, f"{module} has no {name}")
    value = getattr(found, name)
    return Status(NOT_SERVED, value._hint) if isinstance(value, Placeholder) else Status(SERVED)


@functools.cache
def status_of_member(module: str, owner: str, member: str) -> Status:
    """Status of an attribute or method of a class; ``__init__`` is the class itself."""
    status = status_of_import(module, owner)
    if status.word != SERVED or member == "__init__":
        return status
    if f"{owner}.{member}" in _PARTS:
        return Status(PARTLY, _PARTS[f"{owner}.{member}"])
    found = _class(module, owner)
    missing = object()
    value = inspect.getattr_static(found, member, missing)
    if value is missing and member not in _set_by_itself(found):
        public = [name for name in (*dir(found), *_set_by_itself(found)) if not name.startswith("_")]
        near = difflib.get_close_matches(member, public, 1)
        return Status(UNKNOWN, f"{owner} has no {member}" + (f"; did you mean {near[0]}?" if near else ""))
    why = _refusal(value)
    return Status(SERVED) if why is None else Status(NOT_SERVED, why)


def status_of_parameter(module: str, owner: str, member: str, parameter: str) -> Status:
    """Status of a parameter of a method; ``__init__`` is the class itself."""
    called = "Estimator" if owner in _ESTIMATORS else owner
    called = called if member == "__init__" else f"{called}.{member}"
    part = _PARTS.get(f"{called}({parameter}=)")
    if part is not None:
        return Status(NOT_SERVED, part)
    if _accepts(module, owner, member, parameter):
        return Status(SERVED)
    return Status(PARTLY, f"{owner if member == '__init__' else f'{owner}.{member}'} has no parameter {parameter}")


def public_classes(module: str) -> list[str]:
    """Classes that ``from module import *`` gives, of a module that is served; none of any other."""
    try:
        names = getattr(_module(module), "__all__", ())
    except ImportError:
        return []
    return [name for name in names if name[:1].isupper() and status_of_import(module, name).word != UNKNOWN]


@functools.cache
def _accepts(module: str, owner: str, member: str, parameter: str) -> bool:
    function = getattr(_module(module), owner) if member == "__init__" else None
    function = function or getattr(_class(module, owner), member, None)
    try:
        parameters = inspect.signature(function).parameters  # type: ignore[arg-type]  # what is none raises TypeError
    except (TypeError, ValueError):
        return True
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    return takes_any or parameter in parameters


def _class(module: str, owner: str) -> type:
    found: type = getattr(_module(module), _IN_TRUTH.get(owner, owner))
    return found


def _module(name: str) -> ModuleType:
    """Import a module of the azureml names: ours, and no other of that name in the folder where a person works."""
    if "azureml" not in sys.modules:
        sys.path.insert(0, os.path.dirname(own_folder()))
        try:
            importlib.import_module("azureml")
        finally:
            sys.path.pop(0)
    return importlib.import_module(name)


def _parameters(signature: str) -> Sequence[str]:
    """Names in a signature as the table has it: defaults may be names, and the end may be cut off."""
    text = re.sub(r"\([^()]*\)|\[[^\]]*\]|'[^']*'", "", signature[1:])
    if not signature.endswith(")"):
        text = text.rpartition(",")[0]
    return _PARAMETER.findall(text.rstrip(")"))


@functools.cache
def _set_by_itself(owner: type) -> frozenset[str]:
    """Attributes that a class sets on its objects."""
    found: set[str] = set()
    for each in owner.__mro__[:-1]:
        found.update(getattr(each, "__annotations__", ()))
        for node in ast.walk(_source(each)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.update((node.attr,) if isinstance(node.value, ast.Name) and node.value.id == "self" else ())
    return frozenset(found)


def _refusal(value: Any) -> str | None:
    """Hint of a method or property that does nothing but say that it is not served; None for any other."""
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    tree = _source(function) if inspect.isfunction(function) else ast.Module([], [])
    body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.FunctionDef) else []
    statements = [each for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    if not statements or not isinstance(statements[0], ast.Raise):
        return None
    raised = statements[0].exc
    hints = [word.value for word in raised.keywords if word.arg == "hint"] if isinstance(raised, ast.Call) else []
    return str(hints[0].value) if hints and isinstance(hints[0], ast.Constant) else ""


def _source(value: Any) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError):
        return ast.Module([], [])
