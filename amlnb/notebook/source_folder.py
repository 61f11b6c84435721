"""The files of a cell that are in no folder of the person's: its script and its values."""

from __future__ import annotations

import importlib.resources
import json
import os
import sys
from typing import TYPE_CHECKING

from amlnb.api.cell_code import LOADER
from amlnb.staged import captured_values

if TYPE_CHECKING:
    from amlnb.notebook.capture import Capture


def write_source_folder(folder: str, script_name: str, capture: Capture) -> None:
    """Write a cell's script and values.

    Parameters
    ----------
    folder
        An empty folder.
    script_name
        Name of the script's file, with ``.py``.
    capture
        The cell's script and values.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    """
    with open(os.path.join(folder, script_name), "w", encoding="utf-8", newline="\n") as file:
        file.write(capture.script)
    if capture.needs_loader:
        _write_loader(folder)
        _write_values(folder, capture)


def _write_loader(folder: str) -> None:
    loader = importlib.resources.files("amlnb.staged") / f"{LOADER}.py"
    with open(os.path.join(folder, f"{LOADER}.py"), "w", encoding="utf-8", newline="\n") as file:
        file.write(loader.read_text(encoding="utf-8"))


def _write_values(folder: str, capture: Capture) -> None:
    values = os.path.join(folder, f"{LOADER}.d")
    os.mkdir(values)
    if capture.results:
        with open(os.path.join(values, captured_values.DEFINITIONS), "w", encoding="utf-8") as file:
            json.dump(sorted(definition.name for definition in capture.definitions), file)
    entries: dict[str, dict[str, object]] = {}
    # A value that is in the file of another comes after it.
    in_order = sorted(capture.stored.items(), key=lambda item: (item[1].part_of is not None, item[0]))
    for number, (name, stored) in enumerate(in_order):
        if stored.part_of is not None:
            entries[name] = {**entries[stored.part_of], "part": name}
            entries[stored.part_of]["part"] = stored.part_of
            continue
        # A name may be longer than a file's, or differ from another only by case.
        file_name = f"{number}-{name[:40]}{stored.suffix}" if name.isascii() else f"{number}{stored.suffix}"
        stored.write(os.path.join(values, file_name))
        entries[name] = {"file": file_name}
        if stored.scalar:
            entries[name]["scalar"] = True
        if stored.suffix == ".pkl":
            entries[name]["python"] = "{}.{}".format(*sys.version_info[:2])
            entries[name]["packages"] = dict(stored.requires)
    with open(os.path.join(values, captured_values.INDEX), "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1, sort_keys=True)
