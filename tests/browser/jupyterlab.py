"""A JupyterLab server of one's own, and the Chromium that opens it: for the tests and for the benchmarks."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

TOKEN = "amlnb-test"
# Where Debian, Fedora and others put it; playwright's own download is never used.
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

KERNEL_IDLE = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const kernel = panel && panel.sessionContext && panel.sessionContext.session && panel.sessionContext.session.kernel;
    return !!kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def lab_server(root, *, front_end=True, port=None, app="lab", folder=None):
    """A JupyterLab server, or one of Notebook 7, with settings of its own; its address and its folder of notebooks."""
    folder = folder or root / "notebooks"
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    environ = dict(os.environ, JUPYTER_PLATFORM_DIRS="0", IPYTHONDIR=str(root / "ipython"))
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environ[f"JUPYTER_{name}_DIR"] = str(root / name.lower())
    settings = root / "config" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    (root / "config" / "labconfig").mkdir(exist_ok=True)
    disabled = {"@jupyterlab/apputils-extension:announcements": True, "amlnb": not front_end}
    (root / "config" / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": disabled}))
    command = [sys.executable, "-m", "jupyter", app, "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    command.append(f"--{'JupyterNotebookApp' if app == 'notebook' else 'LabApp'}.expose_app_in_browser=True")
    with (root / "lab.log").open("ab") as log:
        server = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, root / "lab.log")
        yield f"http://127.0.0.1:{port}", folder
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_up(url, server, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not answer: {log.read_text()}")
