"""The marks in a cell's script, and what of it is code rather than values."""

from __future__ import annotations

PARAMETERS_MARK = "# Parameters"
VALUES_MARK = "# Values from the notebook, as they were at submission"
CELL_MARK = "# %% The cell"
RESULTS_MARK = "# %% Results for the notebook"
LOADER = "captured_values"


def without_values(script: bytes) -> bytes:
    """Leave out of a cell's script what it was given and what it returns; any other file is returned as it is."""
    head, mark, cell = script.partition(f"\n{CELL_MARK}\n".encode())
    if not mark:
        return script
    given = tuple(f"{each}\n".encode() for each in (PARAMETERS_MARK, VALUES_MARK, f"import {LOADER}"))
    sections = [section.strip(b"\n") for section in head.split(b"\n\n")]
    sections = [section for section in sections if section and not (section + b"\n").startswith(given)]
    return b"\n\n".join(sections) + mark + cell.partition(f"\n{RESULTS_MARK}\n".encode())[0].rstrip(b"\n") + b"\n"
