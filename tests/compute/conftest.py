"""A real sshd on loopback that stands for another machine: its own host name, and none of our folders."""

import os
import shutil
import socket
import subprocess
import sys
import time

import psutil
import pytest


class FarHost:
    """A running sshd and what is needed to get in.

    Attributes
    ----------
    folder
        What the far end keeps; also its configuration, keys and log.
    port
        Where it listens, on 127.0.0.1.
    """

    def __init__(self, folder, hidden):
        self.folder = folder
        self.root = folder / "far root"  # a space, because people have them
        self._hidden = hidden
        self._process = None
        self._served = []
        for name in ("host_key", "user_key", "other_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}")
        self.config_file = self.client_config()
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile {folder}/sshd.pid\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "UsePAM no\nStrictModes no\nMaxStartups 100\nMaxSessions 100\nUseDNS no\n"
            # The cache folder marks what the far end starts as this session's, for the end of the tests.
            f"SetEnv SHLVL=5 AMLNB_CACHE_DIR={os.environ['AMLNB_CACHE_DIR']}/far\n"
        )

    def client_config(self, key="user_key", known_hosts="known_hosts"):
        path = self.folder / f"config-{key}-{known_hosts}"
        path.write_text(
            f"Host *\n  IdentityFile {self.folder}/{key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.folder}/{known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n"
        )
        return str(path)

    def definition(self, **changes):
        told = {
            "kind": "ssh",
            "host": "127.0.0.1",
            "port": self.port,
            "python": shutil.which("python3", path="/usr/bin") or sys.executable,
            "root": str(self.root),
            "config_file": self.config_file,
        }
        return {**told, **changes}

    def start(self):
        serve = f"exec {shutil.which('sshd', path='/usr/sbin:/usr/bin')} -D -f {self.folder}/sshd_config -E {self.folder}/log"
        command = ["sh", "-c", serve]
        if self._can_unshare():
            hide = " && ".join(f"mount -t tmpfs none '{path}'" for path in self._hidden)
            command = ["unshare", "--uts", "--mount", "sh", "-c", f"hostname far-host && {hide} && {serve}"]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"sshd does not start: {(self.folder / 'log').read_text()[-500:]}")
                time.sleep(0.02)

    def stop(self):
        """End the sshd that listens; connections that are open stay open."""
        self._served += self.sessions()
        self._process.terminate()
        self._process.wait()

    def end(self):
        """End everything; ssh's master processes here, which outlive the courier on purpose, end with it."""
        self.stop()
        for process in self._served:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass

    def sessions(self):
        """The sshd processes that serve connections."""
        return psutil.Process(int((self.folder / "sshd.pid").read_text())).children()

    @property
    def is_apart(self):
        return self._can_unshare()

    def _can_unshare(self):
        done = subprocess.run(["unshare", "--uts", "--mount", "hostname", "x"], capture_output=True, check=False)
        return done.returncode == 0


@pytest.fixture(scope="session")
def near_folder(tmp_path_factory):
    """Where the workspaces of ssh tests are: the far end sees an empty folder there."""
    return tmp_path_factory.mktemp("near")


@pytest.fixture(scope="session")
def far_host(isolated_host, near_folder, tmp_path_factory):
    for program in ("ssh", "ssh-keygen", "sshd"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
            pytest.skip(f"there is no {program} here: apt-get install openssh-client openssh-server")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    cache = os.path.join(isolated_host, "cache")
    os.makedirs(cache, exist_ok=True)
    far = FarHost(tmp_path_factory.mktemp("far"), [near_folder, cache])
    far.start()
    yield far
    far.end()
