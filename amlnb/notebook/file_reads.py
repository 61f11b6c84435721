"""Files that a script opens for reading by a literal path, and does not make itself. Pure."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field

_READING_METHODS = frozenset({"read_text", "read_bytes"})
# `open` of these, and constructors that take a mode, read unless the mode says otherwise.
_OPENERS = frozenset({"open", "File", "ZipFile", "Dataset", "GzipFile", "BZ2File", "LZMAFile"})
_LOADERS = {
    "load": frozenset({"np", "numpy", "torch", "joblib", "librosa", "torchaudio", "jnp"}),
    "loadtxt": frozenset({"np", "numpy"}),
    "genfromtxt": frozenset({"np", "numpy"}),
    "fromfile": frozenset({"np", "numpy"}),
    "loadmat": frozenset({"io", "sio", "scipy"}),
    "imread": frozenset({"cv2", "plt", "io", "iio", "imageio", "mpimg", "skimage", "image"}),
    "read_image": frozenset({"io", "torchvision"}),
    "open_dataset": frozenset({"xr", "xarray"}),
    "load_model": frozenset({"models", "keras"}),
}
_NO_FILES = frozenset({"read_sql", "read_sql_query", "read_sql_table", "read_clipboard", "read_gbq", "read_html"})
_FRAMES = frozenset({"pd", "pandas", "pl", "polars", "dd", "cudf", "gpd", "geopandas", "pq", "feather", "csv", "pacsv"})
_KEYWORDS = ("file", "filename", "filepath_or_buffer", "path", "fname", "fp", "f", "io", "source", "name")
# A path that these are told is neither made nor asked for.
_TELLING = frozenset({"print", "info", "debug", "warning", "error", "exception", "critical", "write", "log", "tag"})
_MISSING_IS_EXPECTED = frozenset(
    {"FileNotFoundError", "OSError", "IOError", "EnvironmentError", "Exception", "BaseException"}
)


@dataclass(frozen=True)
class FileRead:
    """A file that a script reads.

    Attributes
    ----------
    path
        As written.
    line
        1-based line of the script.
    """

    path: str
    line: int


def files_read(script: str) -> list[FileRead]:
    """Find the first reading of each file that a script expects to be there.

    Left out are files whose path the script uses in any other way (it may make, download or look for them), files in a
    folder of which that is true, and all if it changes its working directory.
    """
    tree = ast.parse(script)
    finder = _Finder(_constants(tree))
    finder.block(tree, expected=True)
    if finder.moves:
        return []
    other = {os.path.normpath(path) for path in finder.other}
    found: dict[str, FileRead] = {}
    for read in sorted(finder.reads, key=lambda read: read.line):
        path = os.path.normpath(read.path)
        folders = [path]
        while os.path.dirname(folders[-1]) not in {"", folders[-1]}:
            folders.append(os.path.dirname(folders[-1]))
        if other.isdisjoint(folders) and not any(path in command for command in finder.commands):
            found.setdefault(path, read)
    return list(found.values())


@dataclass
class _Finder:
    constants: dict[str, str]
    reads: list[FileRead] = field(default_factory=list)
    other: set[str] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    moves: bool = False

    def block(self, node: ast.AST, *, expected: bool) -> None:
        """Look through a piece of code; `expected` is False where it is ready to find no file."""
        if isinstance(node, ast.Try) and any(_expects_missing(handler) for handler in node.handlers):
            for part in node.body:
                self.block(part, expected=False)
            for rest in (*node.handlers, *node.orelse, *node.finalbody):
                self.block(rest, expected=expected)
            return
        if isinstance(node, ast.Call):
            self._call(node, expected=expected)
        for child in ast.iter_child_nodes(node):
            self.block(child, expected=expected)

    def _call(self, node: ast.Call, *, expected: bool) -> None:
        name = _last_name(node.func)
        self.moves |= name == "chdir"
        path = self._read_path(node, name)
        if path is not None:
            if expected and _is_plain(path):
                self.reads.append(FileRead(path, node.lineno))
            elif not expected:
                self.other.add(path)
            return
        if name in _TELLING or name in {"Path", "PurePath", "join"}:
            return
        receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        for argument in (*receiver, *node.args, *(keyword.value for keyword in node.keywords)):
            text = self.text(argument)
            if text:
                self.other.add(text)
                self.commands += [text] if " " in text else []

    def _read_path(self, node: ast.Call, name: str) -> str | None:
        """The literal path that a call reads, if that is what it does."""
        func = node.func
        owner = _last_name(func.value) if isinstance(func, ast.Attribute) else ""
        if isinstance(func, ast.Attribute) and not isinstance(func.value, ast.Constant):
            path = self.text(func.value)
            if path is not None:
                return path if name in _READING_METHODS or (name == "open" and _reads(node, 0)) else None
        argument = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg in _KEYWORDS), None)
        path = self.text(argument) if argument is not None else None
        if path is None:
            return None
        if name in _OPENERS:
            return path if _reads(node, 1) else None
        frames = name.startswith(("read_", "scan_")) and owner in _FRAMES and name not in _NO_FILES
        return path if frames or owner in _LOADERS.get(name, ()) else None

    def text(self, node: ast.expr) -> str | None:
        """The text that an expression makes of literals: a path, or its parts joined."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [self.text(node.left), self.text(node.right)]
        elif isinstance(node, ast.Call) and node.args and _last_name(node.func) in {"Path", "PurePath", "join"}:
            if _last_name(node.func) == "join" and "path" not in ast.unparse(node.func):
                return None
            parts = [self.text(argument) for argument in node.args]
        else:
            return None
        known = [part for part in parts if part is not None]
        return os.path.join(*known) if len(known) == len(parts) else None


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names that the script binds once, to a literal text or path."""
    bound: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] = bound.get(node.id, 0) + 1
        elif isinstance(node, ast.arg):
            bound[node.arg] = bound.get(node.arg, 0) + 1
    finder = _Finder({})
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and bound[target.id] == 1:
                text = finder.text(statement.value)
                if text is not None:
                    finder.constants[target.id] = text
    return finder.constants


def _reads(node: ast.Call, position: int) -> bool:
    mode = next((keyword.value for keyword in node.keywords if keyword.arg == "mode"), None)
    if mode is None and len(node.args) > position:
        mode = node.args[position]
    if mode is None:
        return True
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and not set("wax+") & set(mode.value)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _expects_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {_last_name(part) for part in ast.walk(handler.type) if isinstance(part, ast.expr)}
    return not names.isdisjoint(_MISSING_IS_EXPECTED)


def _is_plain(path: str) -> bool:
    """A path of a file system, and no address, pattern or text that was only called so."""
    return bool(path.strip()) and "://" not in path and not set("*?\n\0{<") & set(path) and len(path) < 1000
