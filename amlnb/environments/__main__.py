"""``python -m amlnb.environments STATUS``: the builder process."""

from __future__ import annotations

import sys

from amlnb.environments.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
