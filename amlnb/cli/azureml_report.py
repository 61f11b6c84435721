"""What ``amlnb doctor --azureml PATH`` tells of a project that was written for Azure ML's SDK v1."""

from __future__ import annotations

import collections
import os
from typing import TYPE_CHECKING, Any

from amlnb.api import v1_names
from amlnb.cli.output import Column, emit, in_colour, note, print_table
from amlnb.render import palette
from amlnb.render.formatting import printable

if TYPE_CHECKING:
    from amlnb.api.v1_usage import Found, Report

_PLACES_SHOWN = 3
_COLOURS = {
    v1_names.SERVED: palette.GREEN,
    v1_names.PARTLY: palette.AMBER,
    v1_names.NOT_SERVED: palette.RED,
    v1_names.UNKNOWN: palette.RED,
}


def tell(path: str, *, as_json: bool) -> bool:
    """Examine a project, print what was found, and return whether all of it could be read and is served."""
    from amlnb.api.v1_usage import examine

    report = examine(path)
    is_served = not report.unread and all(found.status.word == v1_names.SERVED for found in report.found)
    if as_json:
        emit(_document(report, is_served=is_served))
        return is_served
    if not report.found:
        print(f"nothing of the azureml names is used in the {_files(report.files)} of {printable(path)}")
    else:
        _print(report, path)
    for place, why in report.unread:
        note(f"warning: {place} cannot be read: {why}")
    return is_served


def _document(report: Report, *, is_served: bool) -> dict[str, Any]:
    return {
        "ok": is_served,
        "files": report.files,
        "names": [
            {
                "name": found.name,
                "status": found.status.word,
                "note": found.status.note,
                "places": [{"file": file, "line": line} for file, line in found.places],
            }
            for found in report.found
        ],
        "unread": [{"file": place, "why": why} for place, why in report.unread],
    }


def _print(report: Report, path: str) -> None:
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    print_table(
        [
            Column("status", [each.status.word for each in report.found], paint=_painted),
            Column("name", [each.name for each in report.found]),
            Column("where", [_where(each, folder) for each in report.found]),
        ]
    )
    told = {each.status.note: each.name for each in reversed(report.found) if each.status.note}
    for text, name in sorted(told.items()):
        note(f"hint: {name}: {text}" if text else name)
    counts = collections.Counter(each.status.word for each in report.found)
    words = ", ".join(f"{counts[word]} {word}" for word in _COLOURS if counts[word])
    print(f"{len(report.found)} names of azureml in {_files(report.files)}: {words}")


def _painted(text: str) -> str:
    return in_colour(text, _COLOURS[text.strip()])


def _where(found: Found, folder: str) -> str:
    shown = [f"{os.path.relpath(file, folder or '.')}:{line}" for file, line in found.places[:_PLACES_SHOWN]]
    more = len(found.places) - len(shown)
    return printable(", ".join(shown)) + (f" and {more} more" if more else "")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"
