"""``python -m amlnb.environments STATUS``: the builder process."""

from __future__ import annotations

import os
import sys

from amlnb.environments.program import main

if __name__ == "__main__":
    try:
        code = main(sys.argv[1])
    except SystemExit as told:
        code = int(told.code or 0)
    sys.stdout.flush()
    # Threads of py-rattler may outlive what they were asked for, and crash an interpreter that ends under them.
    os._exit(code)
