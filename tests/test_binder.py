"""binder/: what repo2docker makes of it, and where the image opens."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"
REPO2DOCKER = "jupyter-repo2docker==2026.4.0"


@pytest.fixture(scope="module")
def repo2docker():
    """repo2docker in an environment of its own, kept from session to session."""
    folder = ROOT / ".venvs" / REPO2DOCKER
    program = folder / "bin" / "jupyter-repo2docker"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        installed = subprocess.run([*install, REPO2DOCKER], capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            shutil.rmtree(folder)
            pytest.skip(f"{REPO2DOCKER} cannot be installed here: {installed.stderr.strip()[-300:]}")
    return program


@pytest.mark.slow
def test_repo2docker_picks_up_the_folder(repo2docker):
    options = ["--no-build", "--debug", "--user-name", "jovyan", "--user-id", "1000"]
    done = subprocess.run([repo2docker, *options, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout + done.stderr
    assert "Building conda environment for python=3.11" in dockerfile
    assert "RUN ./binder/postBuild" in dockerfile
    assert os.access(BINDER / "postBuild", os.X_OK)


def test_image_opens_on_a_notebook_that_is_there():
    url = json.loads((BINDER / "default_url.json").read_text())["ServerApp"]["default_url"]
    assert url.startswith("/lab/tree/")
    assert (ROOT / url.removeprefix("/lab/tree/")).is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("module", "program"), [("jupyterlab", "lab"), ("jupyter_server", "server")])
def test_server_opens_on_the_notebook_below_a_base_url(tmp_path, module, program):
    """With the settings that postBuild puts in place, as a Hub would start it."""
    settings = tmp_path / "config"
    settings.mkdir()
    shutil.copy(BINDER / "default_url.json", settings / f"jupyter_{program}_config.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    command = [
        *(sys.executable, "-m", module, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--ServerApp.base_url=/user/jovyan/", "--IdentityProvider.token=t"),
    ]
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **own, "JUPYTER_CONFIG_DIR": str(settings)}, stdout=log, stderr=log
        )
    try:
        page = _answer(f"http://127.0.0.1:{port}/user/jovyan/?token=t", server)
    finally:
        server.terminate()
        server.wait()
    assert page == f"http://127.0.0.1:{port}/user/jovyan/lab/tree/notebooks/01-first-run.ipynb?token=t", (
        tmp_path / "log"
    ).read_text()


def _answer(url, server):
    """Address of the page that the server leads to, once it answers."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    for _ in range(300):
        try:
            with opener.open(url, timeout=30) as page:
                return page.url
        except urllib.error.HTTPError as error:
            return f"{error.url}: {error}"
        except OSError:
            if server.poll() is not None:
                return f"the server ended with {server.returncode}"
            time.sleep(0.1)
    return "no answer in 30 s"
