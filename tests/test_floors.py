"""The floors of docs/architecture.md: who may import whom, and what the run side may use.

All imports count, those inside functions and under TYPE_CHECKING too: an import that is hidden from the interpreter is
not hidden from the reader.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "amlnb"
COMPAT = PACKAGE / "compat"

# From the lowest up. A unit imports only from units of earlier tuples, never from one of its own. Floor 0 has three
# steps: values are built on errors, and the facts about a host on values. Floor 2 has two: the courier forks runners
# from a process that has the runner's code loaded. Floor 5 has two: the azureml names stand for some of the notebook's, and widgets answer their
# pages as the server does.
FLOORS = [
    (0, ("errors", "version", "lazy")),
    (0, ("core", "overwritten", "placeholders")),
    (0, ("host", "specs", "staged")),
    (1, ("tracking", "store", "environments", "compute")),
    (2, ("runner", "live", "render")),
    (2, ("engine",)),
    (3, ("sweep", "data")),
    (4, ("api",)),
    (5, ("notebook", "server", "cli", "testing")),
    (5, ("azureml", "widget")),
    (6, ("amlnb", "__main__")),
]
HEIGHT = {unit: height for height, (_, units) in enumerate(FLOORS) for unit in units}

# Runs inside jobs: Python 3.7, standard library only.
RUN_SIDE = ("amlnb", "errors", "version", "lazy", "overwritten", "placeholders", "host", "core", "tracking", "runner", "azureml")
RUN_SIDE_MODULES = (
    "amlnb.api", "amlnb.api.in_job", "amlnb.api.model", "amlnb.api.model_files", "amlnb.api.model_record", "amlnb.api.model_request",
    "amlnb.api.reading_in_job", "amlnb.api.run", "amlnb.api.run_content", "amlnb.api.run_details_document",
    "amlnb.api.run_files",
    "amlnb.store", "amlnb.store.edits", "amlnb.store.files", "amlnb.store.light_reader", "amlnb.store.models",
    "amlnb.store.plain_files", "amlnb.store.run_record",
)  # fmt: skip
# Inside a function these two may import what is not on the run side: it is needed only where the toolkit is installed,
# and a job that gets there is told what is missing.
REACHING_UP = ("amlnb", "amlnb.api.run")
# They cost milliseconds at import. Under TYPE_CHECKING and inside functions they are free.
SLOW_IMPORTS = {"dataclasses", "logging", "uuid", "pathlib", "typing", "asyncio", "subprocess", "tempfile", "inspect"}


class Import(NamedTuple):
    target: str
    line: int
    at_import: bool  # runs when the module is imported
    in_function: bool


class Module:
    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.source, str(path))
        self.imports = []

    @property
    def unit(self):
        parts = self.name.split(".")
        return parts[1] if parts[0] == "amlnb" and len(parts) > 1 else parts[0]

    @property
    def on_run_side(self):
        return self.unit in RUN_SIDE or self.name in RUN_SIDE_MODULES

    def where(self, line):
        return f"{self.path.relative_to(ROOT)}:{line}"


def _modules():
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        base = COMPAT if COMPAT in path.parents else ROOT
        parts = path.relative_to(base).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    for module in found.values():
        module.imports = list(_imports(module, found))
    return found


def _imports(module, modules):
    """Yield every import of a module, with relative names made absolute and submodules told from attributes."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]

    def visit(node, at_import, in_function):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_import, in_function)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield Import(submodule if submodule in modules else base, node.lineno, at_import, in_function)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for child in node.body:
                yield from visit(child, False, in_function)
            for child in node.orelse:
                yield from visit(child, at_import, in_function)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, at_import and not function, in_function or function)

    yield from visit(module.tree, True, False)


MODULES = _modules()
IDS = sorted(MODULES)
RUN_SIDE_IDS = [name for name in IDS if MODULES[name].on_run_side]


def _unit_of(target):
    first, _, rest = target.partition(".")
    if first == "azureml":
        return "azureml"
    return rest.split(".")[0] if first == "amlnb" and rest else first if first == "amlnb" else None


@pytest.mark.parametrize("name", IDS)
def test_module_imports_only_lower_floors_and_its_own_package(name):
    module = MODULES[name]
    assert module.unit in HEIGHT, f"{name}: put {module.unit!r} on a floor, here and in docs/architecture.md"
    wrong = []
    for found in module.imports:
        unit = _unit_of(found.target)
        if unit is not None and unit != module.unit and HEIGHT[unit] >= HEIGHT[module.unit]:
            wrong.append(f"{module.where(found.line)} imports {found.target}, which is not on a lower floor")
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: {i.target for i in MODULES[name].imports} & MODULES.keys() - {name} for name in IDS}
    done, path = set(), []

    def visit(name):
        if name in path:
            pytest.fail("import cycle: " + " -> ".join([*path[path.index(name) :], name]))
        if name in done:
            return
        path.append(name)
        for target in sorted(graph[name]):
            visit(target)
        done.add(path.pop())

    for name in IDS:
        visit(name)


def test_floors_of_the_documentation_are_those_tested_here():
    tested = {unit: floor for floor, units in FLOORS for unit in units}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d)[abc]? \| (.+?) \|", text, re.MULTILINE)
    assert rows, "docs/architecture.md has no table of floors"
    for floor, packages in rows:
        for package in re.findall(r"`([^`]+)`", packages):
            unit = package.rstrip("/").removesuffix(".py").removeprefix("compat/")
            assert tested.get(unit) == int(floor), f"docs/architecture.md has {package} on floor {floor}"


@pytest.mark.parametrize("name", RUN_SIDE_IDS)
def test_run_side_uses_only_the_standard_library_and_itself(name):
    module = MODULES[name]
    wrong = []
    for found in module.imports:
        top = found.target.split(".")[0]
        if top in {"amlnb", "azureml"}:
            known = found.target in MODULES and MODULES[found.target].on_run_side
        else:
            known = top in sys.stdlib_module_names
        allowed = known or (found.in_function and name in REACHING_UP)
        # Types may come from anywhere lower: nothing is imported for them.
        if not allowed and (found.at_import or found.in_function):
            wrong.append(f"{module.where(found.line)} imports {found.target}, which a job may not have")
        if found.at_import and top in SLOW_IMPORTS:
            wrong.append(f"{module.where(found.line)} imports {found.target} when it is imported, which is slow")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", RUN_SIDE_IDS)
def test_run_side_is_written_in_the_grammar_of_python_37(name):
    module = MODULES[name]
    ast.parse(module.source, str(module.path), feature_version=(3, 7))


@pytest.mark.parametrize("name", RUN_SIDE_IDS)
def test_run_side_never_evaluates_its_annotations(name):
    module = MODULES[name]
    annotated = any(
        isinstance(node, ast.AnnAssign) or getattr(node, "returns", None) or getattr(node, "annotation", None)
        for node in ast.walk(module.tree)
    )
    postponed = any(i.target == "__future__" for i in module.imports)
    assert postponed or not annotated, f"{module.where(1)} needs: from __future__ import annotations"


@pytest.mark.parametrize("name", IDS)
def test_modules_and_functions_stay_short_enough_to_read(name):
    module = MODULES[name]
    lines = module.source.count("\n")
    assert lines <= 420, f"{module.where(1)} has {lines} lines; about 400 is the limit"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[0].end_lineno if documented else node.lineno
            length = node.end_lineno - first + 1
            assert length <= 65, f"{module.where(node.lineno)} {node.name} has {length} lines; about 60 is the limit"
