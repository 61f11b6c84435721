"""Names of Azure ML's SDK v1 in Python code, with what its variables hold as far as their assignments tell."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from amlnb.api import v1_names
from amlnb.api.v1_names import Status

# What methods return, as far as it has a class of its own.
_RETURNS = {
    "Workspace.from_config": "Workspace",
    "Workspace.create": "Workspace",
    "Workspace.get": "Workspace",
    "Workspace.get_default_datastore": "Datastore",
    "Workspace.get_default_keyvault": "Keyvault",
    "Experiment.submit": "Run",
    "Experiment.start_logging": "Run",
    "Run.get_context": "Run",
    "Run.get_submitted_run": "Run",
    "Run.child_run": "Run",
    "Run.submit_child": "Run",
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
# What they give one after the other.
_GIVE = {
    "Experiment.get_runs": "Run",
    "Experiment.list": "Experiment",
    "Model.list": "Model",
    "Run.create_children": "Run",
    "Run.get_children": "Run",
    "Run.list": "Run",
}
_PASSING = ("list", "sorted", "reversed", "tuple", "iter", "tqdm")
_Kind = tuple[str, str]


class Reader(ast.NodeVisitor):
    """Names of v1 in code, with what variables hold as far as their assignments tell; kept from cell to cell."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._classes: dict[str, _Kind] = {}
        self._objects: dict[str, _Kind] = {}
        self._uses: list[tuple[str, int, Status]] = []

    def read(self, tree: ast.AST) -> None:
        """Read a piece of code."""
        self.visit(tree)

    def take(self) -> list[tuple[str, int, Status]]:
        """What was found since the last call: ``(name, line, status)``."""
        found, self._uses = self._uses, []
        return found

    # -- what gives a name a meaning -----------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        """``import azureml.core as a``."""
        for alias in node.names:
            self._forget(alias.asname or alias.name.split(".")[0])
            if alias.name.split(".")[0] == "azureml":
                self._use(alias.name, node, v1_names.status_of_import(alias.name))
                self._modules[alias.asname or "azureml"] = alias.name if alias.asname else "azureml"

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from azureml.core import Workspace``."""
        module = node.module or ""
        is_v1 = module.split(".")[0] == "azureml" and not node.level
        for alias in node.names:
            name = alias.asname or alias.name
            self._forget(name)
            if is_v1 and alias.name == "*":
                self._use(f"{module}.*", node, v1_names.status_of_import(module))
                self._classes.update({each: (module, each) for each in v1_names.public_classes(module)})
            elif is_v1:
                self._use(f"{module}.{alias.name}", node, v1_names.status_of_import(module, alias.name))
                if alias.name[:1].isupper():
                    self._classes[name] = (module, alias.name)
                else:
                    self._modules[name] = f"{module}.{alias.name}"

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """``def go(run: Run):``: its parameters are others than those outside."""
        self._forget(node.name)
        outside = dict(self._objects), dict(self._classes), dict(self._modules)
        given = node.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if each is not None:
                self._hold(each.arg, None if each.annotation is None else self._class(each.annotation))
        self.generic_visit(node)
        of_self = {name: kind for name, kind in self._objects.items() if name.startswith("self.")}
        self._objects, self._classes, self._modules = {**outside[0], **of_self}, *outside[1:]

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - as ast calls it

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """``lambda run: run.x``."""
        outside = dict(self._objects)
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            self._hold(each.arg, None)
        self.generic_visit(node)
        self._objects = outside

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """``class Experiment:``."""
        self._forget(node.name)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """``except ComputeTargetException as e:``."""
        if node.name:
            self._forget(node.name)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """``ws = Workspace.from_config()``."""
        self.generic_visit(node)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """``ws: Workspace = Workspace.from_config()``."""
        self.generic_visit(node)
        self._assign_kind(node.target, self._class(node.annotation) or (self._kind(node.value) if node.value else None))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """``(ws := Workspace.from_config())``."""
        self.generic_visit(node)
        self._assign(node.target, node.value)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """``for run in experiment.get_runs():``."""
        self._assign_kind(node.target, self._kind_of_each(node.iter))
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815 - as ast calls it

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """``[run.id for run in experiment.get_runs()]``."""
        self._assign_kind(node.target, self._kind_of_each(node.iter))
        self.generic_visit(node)

    def _visit_comprehended(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outside = dict(self._objects)
        for each in node.generators:
            self.visit(each)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self._objects = outside

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _visit_comprehended  # noqa: N815 - as ast calls it

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """``with experiment.start_logging() as run:``."""
        for item in node.items:
            if item.optional_vars is not None:
                self._assign(item.optional_vars, item.context_expr)
        self.generic_visit(node)

    visit_AsyncWith = visit_With  # noqa: N815 - as ast calls it

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            pairs = zip(target.elts, values, strict=True) if len(values) == len(target.elts) else ()
            for each in target.elts:
                self._assign_kind(each, None)
            for each, its_value in pairs:
                self._assign(each, its_value)
        else:
            self._assign_kind(target, self._kind(value))

    def _assign_kind(self, target: ast.expr, kind: _Kind | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for each in target.elts:
                self._assign_kind(each, None)
            return
        name = _path(target)
        if name is not None:
            self._hold(name, kind)

    def _hold(self, name: str, kind: _Kind | None) -> None:
        self._forget(name)
        if kind is not None:
            self._objects[name] = kind

    def _forget(self, name: str) -> None:
        for table in (self._objects, self._classes, self._modules):
            table.pop(name, None)

    # -- what is used --------------------------------------------------------------------------------------------

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
            for keyword in node.keywords:
                if keyword.arg is None:
                    continue
                status = v1_names.status_of_parameter(module, owner, member, keyword.arg)
                if status.word != v1_names.SERVED:
                    called = owner if member == "__init__" else f"{owner}.{member}"
                    self._use(f"{called}({keyword.arg}=)", node, status)
        self.generic_visit(node)

    def _use(self, name: str, node: ast.stmt | ast.expr, status: Status) -> None:
        self._uses.append((name, node.lineno, status))

    # -- what an expression is -----------------------------------------------------------------------------------

    def _module(self, node: ast.expr) -> str | None:
        """The module that an expression is, such as ``azureml.core``."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            above = self._module(node.value)
            name = f"{above}.{node.attr}"
            return name if above is not None and name in v1_names.table()["imports"] else None
        return None

    def _class(self, node: ast.expr) -> _Kind | None:
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
            if owner is not None and v1_names.status_of_member(*owner, node.attr).word == v1_names.SERVED:
                return (*owner, node.attr)
        return None

    def _kind(self, node: ast.expr) -> _Kind | None:
        """Module and class of what an expression is, or is an object of."""
        name = _path(node)
        if name in self._objects:
            return self._objects[name]
        found = self._class(node)
        if found is not None:
            return found
        if isinstance(node, ast.Call):
            made = self._class(node.func)
            return made or (self._returned(node.func, _RETURNS) if isinstance(node.func, ast.Attribute) else None)
        return self._returned(node, _RETURNS) if isinstance(node, ast.Attribute) else None

    def _kind_of_each(self, node: ast.expr) -> _Kind | None:
        """The same of what an expression gives one after the other."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PASSING and node.args:
            return self._kind_of_each(node.args[0])
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        return self._returned(node.func, _GIVE) if is_call else None  # type: ignore[attr-defined]  # seen above

    def _returned(self, node: ast.Attribute, table: Mapping[str, str]) -> _Kind | None:
        owner = self._kind(node.value)
        returned = None if owner is None else table.get(f"{owner[1]}.{node.attr}")
        return None if returned is None else (v1_names.table()["classes"][returned]["module"], returned)


def _path(node: ast.expr) -> str | None:
    """``ws`` or ``self.ws`` as a text; None for what is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return f"self.{node.attr}"
    return None
