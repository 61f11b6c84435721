"""What every test stands on: a home, a host-local cache and an environment of its own, and nothing left running."""

import os
import shutil
import tempfile
import time

import hypothesis
import psutil
import pytest

import azureml  # noqa: F401 - so that it is imported in every test process, and not only after some test
from amlnb import errors

# No test is timed: these machines are shared.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# They change what the programs under test import, and what it costs.
FOREIGN = {"PYTHONPATH", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="session", autouse=True)
def isolated_host():
    """Keep the tests off the person's home, caches, git settings and runs, and end what they started.

    One host-local cache, and so one courier, serves the whole session; a test that kills or measures the courier asks
    for `own_cache`.
    """
    before = dict(os.environ)
    # Short, because the path of a Unix socket (ssh's ControlMaster) must stay below 108 bytes.
    home = tempfile.mkdtemp(prefix="amlnb-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    for name in list(os.environ):
        if name.startswith(("AMLNB_", "AZUREML_", "GIT_", "JUPYTER", "IPYTHON", "XDG_")) or name in FOREIGN:
            del os.environ[name]
    # The wheel is installed from wherever this person installs from.
    for folder in (".pip", ".config/pip"):
        settings = os.path.expanduser(f"~/{folder}/pip.conf")
        if os.path.exists(settings):
            os.environ.setdefault("PIP_CONFIG_FILE", settings)
    os.environ.setdefault("PIP_CACHE_DIR", os.path.expanduser("~/.cache/pip"))
    os.environ.setdefault("UV_CACHE_DIR", os.path.expanduser("~/.cache/uv"))
    os.environ.update(
        HOME=home,
        AMLNB_CACHE_DIR=os.path.join(home, "cache"),
        GIT_AUTHOR_NAME="Test",
        GIT_AUTHOR_EMAIL="test@example.invalid",
        GIT_COMMITTER_NAME="Test",
        GIT_COMMITTER_EMAIL="test@example.invalid",
        GIT_CONFIG_NOSYSTEM="1",
        MPLBACKEND="agg",
        # Its font list takes seconds to make: kept from session to session.
        MPLCONFIGDIR=os.path.join(REPOSITORY, "build", "matplotlib"),
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )
    os.makedirs(os.environ["AMLNB_CACHE_DIR"], mode=0o700)
    os.makedirs(os.environ["MPLCONFIGDIR"], exist_ok=True)
    yield home
    end_processes_of(home)
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def error_texts(monkeypatch, request):
    """Errors have v1's text only in the tests of v1, whoever has imported the azureml names."""
    monkeypatch.setattr(errors, "v1_texts", "v1" in request.path.parts)


@pytest.fixture
def own_cache(monkeypatch):
    """A host-local cache, and so a courier, for this test alone. Yields the folder."""
    folder = tempfile.mkdtemp(prefix="amlnb-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    monkeypatch.setenv("AMLNB_CACHE_DIR", folder)
    yield folder
    end_processes_of(folder)
    shutil.rmtree(folder, ignore_errors=True)


def end_processes_of(folder):
    """End the processes whose host-local cache is `folder` or lies below it: couriers, runners, users' scripts.

    They are known by the cache folder in their environment, a name that only this session made up, and are ended by
    their pids. The courier goes first, so that it takes no runner's death for a fact to write down.
    """
    for cache in (folder, os.path.join(folder, "cache")):
        _kill(_courier(cache))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [process for process in psutil.process_iter() if _belongs(process, folder)]
        if not found:
            return
        for process in found:
            _kill(process)
        time.sleep(0.02)


def _courier(cache):
    try:
        with open(os.path.join(cache, "courier.lock"), encoding="ascii") as file:
            process = psutil.Process(int(file.read()))
    except (OSError, ValueError, psutil.Error):
        return None
    # The pid may be another process's by now; a courier that was forked off carries no trace in its environment.
    return process if _belongs(process, cache) or process.ppid() == os.getpid() else None


def _belongs(process, folder):
    if process.pid == os.getpid():
        return False
    try:
        cache = process.environ().get("AMLNB_CACHE_DIR", "")
    except (psutil.Error, OSError):
        return False
    return cache == folder or cache.startswith(folder + os.sep)


def _kill(process):
    """Not asked kindly: all of them have to stand it, and a runner would give its script time to finish."""
    try:
        if process is not None:
            process.kill()
    except psutil.NoSuchProcess:
        pass
