"""A workspace with runs of all sorts, and the table of routes asked without a network."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs

import pytest

from amlnb.server.answering import answer
from amlnb.server.served import Served
from amlnb.server.table import ROUTES
from amlnb.store.known_workspaces import key_of
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.store_contract import final, record
from amlnb.tracking.create import create_run
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal

TOKEN = "amlnb-server-test"
UP_S = 120


class Api:
    """Asks the table as the handlers do, in this thread."""

    def __init__(self, served):
        self.served = served

    def ask(self, method, path, /, body=None, headers=None, **query):
        path, _, text = path.partition("?")
        given = {name.encode().decode(): each for name, each in parse_qs(text, keep_blank_values=True).items()}
        for name, value in query.items():
            given[name] = [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
        for route in ROUTES:
            places = match(route, path)
            if route.method == method and places is not None:
                encoded = {name: [each.encode() for each in values] for name, values in given.items()}
                data = b"" if body is None else json.dumps(body).encode()
                return answer(self.served, route, places, encoded, data, headers or {})
        raise AssertionError(f"no route for {method} {path}")

    def json(self, method, path, /, body=None, **query):
        found = self.ask(method, path, body, **query)
        value = json.loads(found.data) if found.data else None
        assert found.status < 400, value
        return value

    def get(self, path, /, **query):
        return self.json("GET", path, **query)

    def refused(self, path, /, method="GET", body=None, **query):
        """Status and body of what is to be refused."""
        found = self.ask(method, path, body, **query)
        assert found.status >= 400, found.data
        return found.status, json.loads(found.data)


def match(route, path):
    parts, wanted = path.split("/"), route.path.split("/")
    if len(parts) != len(wanted):
        return None
    places = []
    for part, want in zip(parts, wanted, strict=True):
        if want.startswith("{"):
            places.append(part)
        elif part != want:
            return None
    return places


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a workspace; the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    return folder


@pytest.fixture
def workspace(project):
    return open_directory(str(project / ".amlnb"), local_ids("test"))


@pytest.fixture
def make_run(workspace):
    """Makes a run: its metrics ``{name: values}``, how it ended (None: it runs), and what else its record says."""

    def make(run_id, state="Completed", metrics=None, *, experiment="e", started=100.0, **more):
        workspace.make_experiment(experiment)
        made = {**record(run_id, created=float(more.pop("created", 0.0))), "experiment": experiment, **more}
        directory = create_run(workspace.runs, made)
        writer = JournalWriter(directory, "0")
        writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": started})
        for name, values in (metrics or {}).items():
            for step, value in enumerate(values):
                writer.log_float(name, value, step)
        writer.close()
        if state is not None:
            seal(directory, final(state))
        return directory

    return make


@pytest.fixture
def served(project):
    return Served(str(project))


@pytest.fixture
def api(served):
    return Api(served)


@pytest.fixture
def key(workspace):
    return key_of(workspace.path)


class Server:
    """A server on loopback and how it is asked."""

    def __init__(self, address, folder, token=TOKEN):
        self.address = address
        self.folder = folder
        self.token = token

    def ask(self, path, method="GET", body=None, headers=None, token=True):
        """Status, body and headers of an answer."""
        given = dict(headers or {})
        if token:
            given.setdefault("Authorization", f"token {self.token}")
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=body, method=method, headers=given)
        try:
            with urllib.request.urlopen(request, timeout=UP_S) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    def json(self, path, **given):
        status, body, _ = self.ask(path, **given)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """A real Jupyter server with our extension, under a base URL."""
    root = tmp_path_factory.mktemp("jupyter")
    folder = root / "folder"
    folder.mkdir()
    with running_jupyter(root, folder) as server:
        yield server


@contextlib.contextmanager
def running_jupyter(root, folder, *options):
    """A Jupyter server over a folder, with all of its own files in `root`; its log is root/server.log."""
    environ = dict(os.environ, JUPYTER_PLATFORM_DIRS="0", IPYTHONDIR=str(root / "ipython"))
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environ[f"JUPYTER_{name}_DIR"] = str(root / name.lower())
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += ["--ServerApp.port_retries=200", *(options or [f"--IdentityProvider.token={TOKEN}"])]
    command += ["--ServerApp.base_url=/user/ann/", "--ServerApp.jpserver_extensions={'amlnb.server': True}"]
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: port_of(root / "runtime", process), (root / "server.log").read_text)
        server = Server(f"http://127.0.0.1:{port_of(root / 'runtime', process)}/user/ann/", folder)
        wait_until(lambda: is_up(server), (root / "server.log").read_text)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def port_of(runtime, process):
    """The port that a Jupyter server has found; None before it tells."""
    assert process.poll() is None, "the server has ended"
    try:
        return json.loads((runtime / f"jpserver-{process.pid}.json").read_text())["port"]
    except (OSError, ValueError):
        return None


def is_up(server):
    try:
        return server.ask("amlnb/api/about")[0] in (200, 403)
    except OSError:
        return False


def wait_until(true, told=lambda: "", seconds=UP_S):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.05)
