"""A run as one file to hand on: code, definition, environment, git diff, metrics, logs, outputs, and a page to read."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from amlnb.core import coercion, layout
from amlnb.core.manifest import Manifest, decode
from amlnb.engine.bundle_environment import describe_environment
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.live.terminal import plain_line
from amlnb.render.run_page import TEXT_LIMIT, run_page
from amlnb.render.strict_json import strict_json
from amlnb.store import files
from amlnb.store.objects import ObjectStore
from amlnb.store.plain_files import read_from
from amlnb.store.run_reader import RunReader

DEFAULT_MAX_BYTES = 1_000_000_000
_CHUNK_BYTES = 1 << 20
_CSV_ROWS = 10_000
# The oldest date that a zip file can hold.
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
# Within the last of its years, 2107.
_LAST_TIME = 4_330_000_000.0
_ODD = re.compile("[\ud800-\udfff]")

Progress = Callable[[str, int], None]


@dataclass
class Bundle:
    """What was written.

    Attributes
    ----------
    path, bytes
        The file and its size.
    left_out
        Names of the run's files that did not fit, of links that would leave the bundle, and of code that is missing.
    variables
        Names of the environment variables of the definition, whose values are in the bundle.
    """

    path: str
    bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)


def write_bundle(
    directory: str,
    objects_root: str,
    path: str,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    progress: Progress = lambda _, __: None,
) -> Bundle:
    """Write a run into a zip file, which appears whole or not at all.

    Parameters
    ----------
    directory
        The run directory.
    objects_root
        The workspace's folder of objects.
    path
        The file to write; it must not exist.
    max_bytes
        Of the run's files (log, outputs, logs, uploaded files), at most so many bytes in all: the log first, then the
        smallest. What is left out is named in ``left_out.txt``.
    progress
        Called with the name of each part and the bytes so far.

    Raises
    ------
    UserErrorException
        There is a file of that name, or its folder is missing.
    AmlnbError
        It cannot be written, a file of the run cannot be read, or the run's snapshot is damaged.
    """
    if os.path.lexists(path):
        raise UserErrorException(f"there is a file {path!r} already", hint="give another name with --output")
    unfinished = f"{path}.{os.getpid()}.unfinished"
    try:
        with zipfile.ZipFile(unfinished, "x", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            bundle = _Writer(archive, directory, ObjectStore(objects_root), progress).write(path, max_bytes)
        os.rename(unfinished, path)
    except OSError as error:
        if error.filename is not None and error.filename != unfinished:
            raise AmlnbError(
                f"the run cannot be bundled: {error.filename!r} cannot be read: {error.strerror}",
                hint="make it readable for this user",
            ) from error
        raise AmlnbError(
            f"the bundle {path!r} cannot be written: {error.strerror or error}",
            hint="give another place with --output, or a smaller --max-size",
        ) from error
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
    bundle.bytes = os.stat(path).st_size
    return bundle


class _Writer:
    def __init__(self, archive: zipfile.ZipFile, directory: str, objects: ObjectStore, progress: Progress) -> None:
        self._archive = archive
        self._directory = directory
        self._objects = objects
        self._progress = progress
        self._top = os.path.basename(os.path.normpath(directory))
        self._reader = RunReader(directory)
        self._reader.refresh()
        self._written = 0

    def write(self, path: str, max_bytes: int) -> Bundle:
        record = self._reader.record
        definition = coercion.mapping(record.get("definition"))
        bundle = Bundle(path, variables=sorted(coercion.mapping(definition.get("environment_variables"))))
        snapshot = record.get("snapshot")
        manifest = decode(self._objects.read(snapshot), snapshot) if isinstance(snapshot, str) else None
        taken, bundle.left_out = _fitting(files.list_files(self._directory), max_bytes)
        self._page(taken, manifest, str(definition.get("script") or ""))
        for name in (layout.RUN_JSON, layout.FINAL_JSON):
            self._file(name, os.path.join(self._directory, name))
        self._text("environment.json", strict_json(describe_environment(self._reader), 1))
        self._text("metrics.json", strict_json(self._reader.metrics(), 1))
        self._metrics_csv()
        if isinstance(record.get("git_diff"), str):
            self._file("git.diff", self._objects.path(record["git_diff"]))
        if manifest is not None:
            bundle.left_out += self._code(manifest)
        for name in _names(os.path.join(self._directory, layout.FAILURES)):
            self._file(f"failures/{name}", os.path.join(self._directory, layout.FAILURES, name))
        for name, source in taken.items():
            self._file(f"files/{name}", source)
        if bundle.left_out:
            self._text("left_out.txt", "\n".join(map(_printable, bundle.left_out)) + "\n")
        return bundle

    def _page(self, taken: dict[str, str], manifest: Manifest | None, script: str) -> None:
        view = RunTail(self._directory, log_lines=0).poll()
        code = None
        if manifest is not None and script in manifest.files and manifest.files[script][1] <= TEXT_LIMIT:
            code = self._objects.read(manifest.files[script][0]).decode("utf-8", "replace")
        sizes = [(_printable(name), os.stat(path).st_size) for name, path in taken.items()]
        self._text("index.html", run_page(view, code=code, log=self._log_end(), files=sizes))

    def _log_end(self) -> str:
        path = os.path.join(self._directory, layout.USER_LOG)
        size = os.stat(path).st_size if os.path.exists(path) else 0
        text = read_from(path, max(0, size - TEXT_LIMIT), TEXT_LIMIT).decode("utf-8", "replace")
        return "\n".join(plain_line(line) for line in text.split("\n"))

    def _metrics_csv(self) -> None:
        """All numeric points: metric, step, Unix time, value."""
        with self._open("metrics.csv", time.time(), 0o644) as raw:
            out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
            rows = csv.writer(out)
            rows.writerow(["metric", "step", "time", "value"])
            for name in self._reader.metric_names():
                points = self._reader.series(name)
                for at in range(0, len(points.value), _CSV_ROWS):
                    part = slice(at, at + _CSV_ROWS)
                    columns = (points.step[part], points.time[part], points.value[part])
                    rows.writerows(
                        (_printable(name), _number(step), when, value)
                        for step, when, value in zip(*(c.tolist() for c in columns), strict=True)
                    )
                    self._progress("metrics.csv", self._written)
            out.detach()

    def _code(self, manifest: Manifest) -> list[str]:
        """Write the files of the snapshot; return what is not in the bundle: links out of it, and lost content."""
        left_out = []
        for path, (sha, _, mode) in manifest.files.items():
            if not self._file(f"code/{path}", self._objects.path(sha), mode):
                left_out.append(f"code/{path} (its content is missing)")
        for path in manifest.directories:
            self._archive.writestr(self._info(f"code/{path}/", time.time(), 0o755 | stat.S_IFDIR), b"")
        for path, target in manifest.links.items():
            if target.startswith("/"):
                left_out.append(f"code/{path} (a link to {target})")
            else:
                encoded = target.encode("utf-8", "surrogateescape")
                self._archive.writestr(self._info(f"code/{path}", time.time(), 0o777 | stat.S_IFLNK), encoded)
        return left_out

    def _file(self, name: str, source: str, mode: int = 0o644) -> bool:
        """Copy a file as long as it is now; False if it is not there."""
        try:
            reading = open(source, "rb")  # noqa: SIM115 - closed below; a missing file is no error
        except FileNotFoundError:
            return False
        with reading, self._open(name, os.fstat(reading.fileno()).st_mtime, mode) as out:
            left = os.fstat(reading.fileno()).st_size
            while left > 0 and (data := _read(reading, source, min(left, _CHUNK_BYTES))):
                out.write(data)
                left -= len(data)
                self._written += len(data)
                self._progress(name, self._written)
        return True

    def _text(self, name: str, text: str) -> None:
        self._archive.writestr(self._info(name, time.time(), 0o644), text.encode("utf-8"))

    def _open(self, name: str, mtime: float, mode: int) -> Any:
        return self._archive.open(self._info(name, mtime, mode | stat.S_IFREG), "w", force_zip64=True)

    def _info(self, name: str, mtime: float, mode: int) -> zipfile.ZipInfo:
        date = time.localtime(min(mtime, _LAST_TIME))[:6]
        info = zipfile.ZipInfo(_printable(f"{self._top}/{name}"), max(date, _FIRST_DATE))
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        return info


def _fitting(found: dict[str, str], max_bytes: int) -> tuple[dict[str, str], list[str]]:
    """``{name: path}`` of what fits, and the names of what does not."""
    sizes = {}
    for name, path in found.items():
        if name != layout.DRIVER_LOG_ALIAS:
            try:
                sizes[name] = os.stat(path).st_size
            except FileNotFoundError:
                continue  # removed since it was listed
    taken, left_out, total = {}, [], 0
    for name in sorted(sizes, key=lambda name: (name != layout.USER_LOG, sizes[name], name)):
        if total + sizes[name] > max_bytes:
            left_out.append(f"files/{name} ({sizes[name]} bytes)")
            continue
        total += sizes[name]
        taken[name] = found[name]
    return dict(sorted(taken.items())), left_out


def _printable(name: str) -> str:
    """Write a name that is not UTF-8 so that any program can unpack it: its odd bytes as ``%xx``."""
    return _ODD.sub(lambda found: _percent(ord(found[0])), name)


def _percent(code: int) -> str:
    return f"%{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"%u{code:04x}"


def _read(file: BinaryIO, source: str, size: int) -> bytes:
    """Read on; a failure tells the file, so that it is not taken for one of writing."""
    try:
        return file.read(size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, source) from error


def _number(step: float) -> float | int:
    return int(step) if step.is_integer() else step


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
