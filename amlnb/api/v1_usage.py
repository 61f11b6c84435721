"""What a project uses of Azure ML's SDK v1: names found in its scripts and notebooks, without running any of it."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from amlnb.api import v1_names
from amlnb.api.v1_names import Status
from amlnb.errors import UserErrorException

_LEFT_OUT = frozenset(
    {".git", ".venv", "venv", "__pycache__", ".ipynb_checkpoints", "node_modules", ".amlnb", "site-packages"}
)
_MAGIC = re.compile(r"^\s*[%!?]|\?\s*$")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*")
# What methods return, as far as it has a class of its own.
_RETURNS = {
    "Workspace.from_config": "Workspace",
    "Workspace.create": "Workspace",
    "Workspace.get": "Workspace",
    "Workspace.get_default_datastore": "Datastore",
    "Workspace.get_default_keyvault": "Keyvault",
    "Experiment.submit": "Run",
    "Experiment.start_logging": "Run",
    "Experiment.get_runs": "Run",
    "Run.get_context": "Run",
    "Run.get_submitted_run": "Run",
    "Run.child_run": "Run",
    "Run.submit_child": "Run",
    "Run.get_children": "Run",
    "Run.create_children": "Run",
    "Run.parent": "Run",
    "Run.experiment": "Experiment",
    "Run.register_model": "Model",
    "Run.get_environment": "Environment",
    "Model.register": "Model",
    "Environment.get": "Environment",
    "Environment.clone": "Environment",
    "Environment.from_conda_specification": "Environment",
    "Environment.from_pip_requirements": "Environment",
    "Environment.from_existing_conda_environment": "Environment",
    "Environment.from_docker_image": "Environment",
    "Environment.from_dockerfile": "Environment",
    "Environment.python": "PythonSection",
    "Environment.docker": "DockerSection",
    "PythonSection.conda_dependencies": "CondaDependencies",
    "CondaDependencies.create": "CondaDependencies",
    "ScriptRunConfig.run_config": "RunConfiguration",
    "RunConfiguration.environment": "Environment",
    "RunConfiguration.docker": "DockerConfiguration",
    "ComputeTarget.create": "ComputeTarget",
    "ComputeTarget.attach": "ComputeTarget",
    "Datastore.get": "Datastore",
    "Datastore.get_default": "Datastore",
}


@dataclass(frozen=True)
class Found:
    """A name of v1 that a project uses.

    Attributes
    ----------
    name
        Such as ``azureml.core.Workspace`` (imported), ``Workspace.from_config`` or ``Workspace.create(sku=)``.
    places
        ``(file, line)`` of each use; the line of a notebook counts within its cell, which ``file`` names.
    """

    name: str
    status: Status
    places: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    files
        Number of files that were read.
    unread
        ``(file, why)`` of those that cannot be.
    """

    found: tuple[Found, ...]
    files: int
    unread: tuple[tuple[str, str], ...]


def examine(path: str) -> Report:
    """Read a script, a notebook or a folder of them.

    Raises
    ------
    UserErrorException
        There is no such path, or it holds neither.
    """
    if not os.path.exists(path):
        raise UserErrorException(f"there is no file or folder {path!r}", hint=f"paths are relative to {os.getcwd()!r}")
    paths = sorted(_files(path))
    if not paths:
        raise UserErrorException(f"{path!r} holds no .py and no .ipynb file", hint="give the project's folder")
    uses: dict[str, tuple[Status, list[tuple[str, int]]]] = {}
    unread = []
    for each in paths:
        try:
            sources = list(_sources(each))
        except (OSError, ValueError) as error:
            unread.append((each, str(error)))
            continue
        reader = _Reader()
        for place, source in sources:
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                unread.append((place, f"is no Python: {error}"))
                continue
            reader.read(tree)
            for name, line, status in reader.take():
                uses.setdefault(name, (status, []))[1].append((place, line))
    order = [v1_names.NOT_SERVED, v1_names.UNKNOWN, v1_names.PARTLY, v1_names.SERVED]
    found = [Found(name, status, tuple(dict.fromkeys(places))) for name, (status, places) in uses.items()]
    found.sort(key=lambda each: (order.index(each.status.word), each.name))
    return Report(tuple(found), len(paths), tuple(unread))


def _files(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
        return
    for top, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (os.path.join(top, name) for name in names if name.endswith((".py", ".ipynb")))


def _sources(path: str) -> Iterator[tuple[str, str]]:
    """``(place, Python text)``: of a script itself, of a notebook each code cell, magics blanked."""
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    if not path.endswith(".ipynb"):
        yield path, text
        return
    notebook = json.loads(text)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("is no notebook of format 4")  # noqa: TRY004 - as a file that is no JSON
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        lines = ("".join(source) if isinstance(source, list) else str(source)).split("\n")
        if lines[0].startswith("%%") and not lines[0].startswith(("%%time", "%%submit", "%%capture")):
            continue
        yield f"{path}, cell {number}", "\n".join(_python(line) for line in lines)


def _python(line: str) -> str:
    assigned = _ASSIGNED_MAGIC.match(line)
    if assigned:
        return f"{assigned[1]}None"
    return re.sub(r"\S.*", "pass", line) if _MAGIC.search(line) else line


class _Reader(ast.NodeVisitor):
    """Names of v1 in code, with what variables hold as far as their assignments tell; kept from cell to cell."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._classes: dict[str, tuple[str, str]] = {}
        self._objects: dict[str, tuple[str, str]] = {}
        self._uses: list[tuple[str, int, Status]] = []

    def read(self, tree: ast.AST) -> None:
        """Read a piece of code."""
        self.visit(tree)

    def take(self) -> list[tuple[str, int, Status]]:
        """What was found since the last call: ``(name, line, status)``."""
        found, self._uses = self._uses, []
        return found

    def visit_Import(self, node: ast.Import) -> None:
        """``import azureml.core as a``."""
        for alias in node.names:
            if alias.name.split(".")[0] == "azureml":
                self._use(alias.name, node, v1_names.status_of_import(alias.name))
                self._modules[alias.asname or "azureml"] = alias.name if alias.asname else "azureml"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from azureml.core import Workspace``."""
        module = node.module or ""
        if module.split(".")[0] != "azureml" or node.level:
            return
        for alias in node.names:
            if alias.name == "*":
                self._use(f"{module}.*", node, v1_names.status_of_import(module))
                continue
            status = v1_names.status_of_import(module, alias.name)
            self._use(f"{module}.{alias.name}", node, status)
            name = alias.asname or alias.name
            if alias.name[:1].isupper():
                self._classes[name] = (module, alias.name)
            else:
                self._modules[name] = f"{module}.{alias.name}"

    def visit_Assign(self, node: ast.Assign) -> None:
        """``ws = Workspace.from_config()``."""
        self.generic_visit(node)
        kind = self._kind(node.value)
        for target in node.targets:
            self._hold(target, kind)

    def visit_For(self, node: ast.For) -> None:
        """``for run in experiment.get_runs():``."""
        self._hold(node.target, self._kind(node.iter))
        self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        """``with experiment.start_logging() as run:``."""
        for item in node.items:
            if item.optional_vars is not None:
                self._hold(item.optional_vars, self._kind(item.context_expr))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``ws.name``."""
        owner = self._kind(node.value)
        if owner is not None:
            status = v1_names.status_of_import(*owner)
            if status.word == v1_names.SERVED:
                status = v1_names.status_of_member(*owner, node.attr)
            self._use(f"{owner[1]}.{node.attr}", node, status)
        else:
            module = self._module(node.value)
            if module is not None and module != "azureml" and self._module(node) is None:
                self._use(f"{module}.{node.attr}", node, v1_names.status_of_import(module, node.attr))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """``Workspace.create(name=..., sku=...)``."""
        method = self._method(node.func)
        if method is not None:
            module, owner, member = method
            if v1_names.status_of_member(module, owner, member).word == v1_names.SERVED:
                for keyword in node.keywords:
                    if keyword.arg is not None and not v1_names.accepts(module, owner, member, keyword.arg):
                        called = owner if member == "__init__" else f"{owner}.{member}"
                        told = Status(v1_names.PARTLY, f"{called} has no parameter {keyword.arg}")
                        self._use(f"{called}({keyword.arg}=)", node, told)
        self.generic_visit(node)

    def _use(self, name: str, node: ast.stmt | ast.expr, status: Status) -> None:
        self._uses.append((name, node.lineno, status))

    def _hold(self, target: ast.expr, kind: tuple[str, str] | None) -> None:
        if isinstance(target, ast.Name):
            if kind is None:
                self._objects.pop(target.id, None)
            else:
                self._objects[target.id] = kind

    def _module(self, node: ast.expr) -> str | None:
        """The module that an expression is, such as ``azureml.core``."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            above = self._module(node.value)
            name = f"{above}.{node.attr}"
            return name if above is not None and name in v1_names.table()["imports"] else None
        return None

    def _class(self, node: ast.expr) -> tuple[str, str] | None:
        if isinstance(node, ast.Name):
            return self._classes.get(node.id)
        if isinstance(node, ast.Attribute) and node.attr[:1].isupper():
            module = self._module(node.value)
            return None if module is None else (module, node.attr)
        return None

    def _method(self, node: ast.expr) -> tuple[str, str, str] | None:
        """Module, class and method of what is called."""
        made = self._class(node)
        if made is not None:
            return (*made, "__init__") if v1_names.status_of_import(*made).word == v1_names.SERVED else None
        if isinstance(node, ast.Attribute):
            owner = self._kind(node.value)
            if owner is not None and v1_names.status_of_import(*owner).word == v1_names.SERVED:
                return (*owner, node.attr)
        return None

    def _kind(self, node: ast.expr) -> tuple[str, str] | None:
        """Module and class of what an expression is, or is an object of."""
        if isinstance(node, ast.Name) and node.id in self._objects:
            return self._objects[node.id]
        found = self._class(node)
        if found is not None:
            return found
        if isinstance(node, ast.Call):
            made = self._class(node.func)
            if made is not None:
                return made
            return self._kind_of_member(node.func) if isinstance(node.func, ast.Attribute) else None
        return self._kind_of_member(node) if isinstance(node, ast.Attribute) else None

    def _kind_of_member(self, node: ast.Attribute) -> tuple[str, str] | None:
        owner = self._kind(node.value)
        returned = None if owner is None else _RETURNS.get(f"{owner[1]}.{node.attr}")
        if returned is None:
            return None
        return v1_names.table()["classes"][returned]["module"], returned
