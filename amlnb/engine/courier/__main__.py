"""``python -m amlnb.engine.courier``: be the courier of this user and host."""

from __future__ import annotations

import sys

from amlnb.engine.courier.main import serve

if __name__ == "__main__":
    sys.exit(serve())
