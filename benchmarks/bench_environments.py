"""Building an environment beside uv's own commands by hand; starting in one that is built; looking one up."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time

from benchmarks.rows import medians, project, write_script

PACKAGES = ("numpy", "pandas", "scikit-learn")
ROUNDS = 9
SUBMISSIONS = 25
LOOKUPS = 50
BAR_BUILD = 1.15
BAR_SECOND_MS = 10.0
BAR_LOOKUP_MS = 5.0
SCRIPT = "import sys, time\nwith open(sys.argv[1], 'w') as file:\n    file.write(repr(time.time()))\n"


def measure():
    """Return rows (what, value, bar, ok)."""
    # uv by hand knows nothing of pip's configuration, and asks fewer indexes where that has some.
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        del os.environ[name]
    os.environ["PIP_CONFIG_FILE"] = os.devnull
    with project() as workspace:
        data = workspace.directory.path
        return [*_cold(data), *_second(workspace), *_at_once(workspace), *_lookup(data)]


def _asked():
    from amlnb.specs.environment_spec import EnvironmentSpec

    return EnvironmentSpec(pip=PACKAGES)


def _forget(data):
    """Remove the locks and environments; uv's cache stays."""
    shutil.rmtree(os.path.join(data, "environments"), ignore_errors=True)
    shutil.rmtree(os.path.join(os.environ["AMLNB_CACHE_DIR"], "environments"), ignore_errors=True)


def _cold(data):
    from amlnb.engine import environments
    from amlnb.environments import interpreters
    from amlnb.environments.uv import find_program

    uv, python = find_program(), interpreters.own().path
    with open("requirements.in", "w", encoding="ascii") as file:
        file.write("\n".join(PACKAGES))

    def by_hand():
        run = [
            [uv, "venv", "--quiet", "--python", python, "by-hand"],
            [uv, "pip", "compile", "--quiet", "requirements.in", "-o", "requirements.txt", "--python", python],
            [uv, "pip", "sync", "--quiet", "requirements.txt", "--python", "by-hand"],
        ]
        for command in run:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def ours():
        environments.build(_asked(), data, lambda _: None)

    def remove():
        _forget(data)
        shutil.rmtree("by-hand", ignore_errors=True)

    by_hand()
    ours()
    times = []
    for _ in range(ROUNDS):
        remove()
        times.append(medians(1, by_hand, ours))
    hand_s, ours_s = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = ours_s / hand_s
    return [
        (
            f"cold build of ({', '.join(PACKAGES)}) over uv venv + compile + sync, same warm cache",
            f"{ratio:.2f}x ({ours_s * 1e3:.0f} ms, by hand {hand_s * 1e3:.0f} ms)",
            f"{BAR_BUILD}x",
            ratio <= BAR_BUILD,
        )
    ]


def _second(workspace):
    from dataclasses import replace

    from amlnb.api.run_reading import run_at
    from amlnb.engine.submit import submit
    from amlnb.specs.run_spec import RunSpec

    told = os.path.abspath("told")
    plain = RunSpec("bench", os.path.abspath(write_script("source", SCRIPT)), script="s.py", arguments=(told,))

    def first_line(spec):
        began = time.time()
        run = run_at(submit(spec, workspace.directory))
        run.wait_for_completion()
        with open(told, encoding="ascii") as file:
            return float(file.read()) - began

    built = replace(plain, environment=_asked())
    first_line(built)
    rounds = [(first_line(plain), first_line(built)) for _ in range(SUBMISSIONS)]
    own_ms, built_ms = (statistics.median(column) * 1e3 for column in zip(*rounds, strict=True))
    over = built_ms - own_ms
    return [
        (
            "submit to the first line in a built environment, over the workspace's own interpreter",
            f"{over:+.1f} ms ({built_ms:.0f} ms, own {own_ms:.0f} ms)",
            f"+{BAR_SECOND_MS:.0f} ms",
            over <= BAR_SECOND_MS,
        )
    ]


def _at_once(workspace):
    from amlnb.api.run_reading import run_at
    from amlnb.core import layout
    from amlnb.engine.submit import submit
    from amlnb.specs.run_spec import RunSpec

    _forget(workspace.directory.path)
    spec = RunSpec("bench", os.path.abspath("source"), script="s.py", arguments=("/dev/null",), environment=_asked())
    runs = [run_at(submit(spec, workspace.directory)) for _ in range(10)]
    for run in runs:
        run.wait_for_completion()
    logs = set()
    for run in runs:
        with open(os.path.join(run.directory, layout.BUILD_LOG), encoding="utf-8") as file:
            logs.add(file.read())
    return [("builds for ten simultaneous requests", str(len(logs)), "1", len(logs) == 1)]


def _lookup(data):
    from amlnb.environments import locks, requests
    from amlnb.environments.asking import request_of
    from amlnb.environments.lock import Lock, LockedPackage
    from amlnb.specs.environment_spec import EnvironmentSpec

    names = [f"package-{number}" for number in range(200)]
    spec = EnvironmentSpec(pip=tuple(f"{name}==1.{number}.0" for number, name in enumerate(names)))
    packages = [LockedPackage(name, "1.0.0", tuple(f"sha256:{digit * 64}" for digit in "abc")) for name in names]
    request = request_of(spec, os.environ)
    lock = Lock("uv", "uv 0", request.interpreter.version, "linux-x86_64", tuple(packages))
    locks.write(data, locks.Stored(request.key, spec, lock), replace=True)
    cache = os.environ["AMLNB_CACHE_DIR"]

    def look_up():
        requests.find(data, cache, request_of(spec, os.environ).key)

    [median_s] = medians(LOOKUPS, look_up)
    return [
        (
            "request key and lock look-up for 200 packages",
            f"{median_s * 1e3:.1f} ms",
            f"{BAR_LOOKUP_MS:.0f} ms",
            median_s * 1e3 <= BAR_LOOKUP_MS,
        )
    ]
