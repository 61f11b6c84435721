"""How a run ended, by what is known of its process."""

import pytest

from amlnb.runner import verdict

EXIT_1 = 1 << 8
KILLED = 9


@pytest.mark.parametrize(
    ("status", "oom_kills", "kind", "code"),
    [
        (EXIT_1, 0, "ValueError", "UserError"),
        (EXIT_1, 1, "ValueError", "UserError"),
        (EXIT_1, 0, "MemoryError", "OutOfMemory"),
        (EXIT_1, 0, "DeadKernelError", "UserError"),
        (EXIT_1, 1, "DeadKernelError", "OutOfMemory"),
        (EXIT_1, 1, None, "UserError"),
        (KILLED, 0, None, "Signal"),
        (KILLED, 1, None, "OutOfMemory"),
    ],
)
def test_what_a_run_failed_of(status, oom_kills, kind, code):
    failures = [{"pid": 7, "type": kind, "message": "boom", "frames": []}] if kind else []
    outcome = verdict.judge(status, None, None, oom_kills, failures, 7, {})
    assert outcome["state"] == "Failed"
    assert outcome["error"]["code"] == code
