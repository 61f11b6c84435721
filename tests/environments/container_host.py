"""A real Docker daemon that the test starts itself, with an image made of this machine's own Python."""

import os
import shutil
import subprocess
import tempfile
import time

SYSTEM_PYTHON = "/usr/bin/python3.11"
PROGRAMS = ("cat", "env", "id", "ls", "sleep")
SETTINGS = ("--iptables=false", "--bridge=none", "--default-ulimit=nofile=10000:10000")
IMAGE = "amlnb-test-base:1"


class ContainerHost:
    """A running dockerd in a folder of its own; `environ` leads its client there."""

    def __init__(self):
        # Short: the path of a Unix socket must stay below 108 bytes.
        self.folder = tempfile.mkdtemp(prefix="amlnb-")
        self.environ = {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/sock"}
        self._process = None

    def start(self):
        """Start it; returns why it cannot be, else None."""
        program = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if program is None or shutil.which("docker") is None:
            return "dockerd is not installed (apt-get install docker.io)"
        if os.geteuid() != 0:
            return "dockerd needs root"
        if not os.path.exists(SYSTEM_PYTHON):
            return f"there is no {SYSTEM_PYTHON} to make an image of"
        roots = [f"--{name}-root={self.folder}/{name}" for name in ("data", "exec")]
        with open(f"{self.folder}/log", "wb") as log:
            self._process = subprocess.Popen(
                [program, *roots, f"--pidfile={self.folder}/pid", f"--host={self.environ['DOCKER_HOST']}", *SETTINGS],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while self.docker("info", check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                with open(f"{self.folder}/log", encoding="utf-8") as log:
                    return f"dockerd does not start: {log.read()[-500:]}"
            time.sleep(0.05)
        self._import_image()
        return None

    def stop(self):
        if self._process is not None:
            names = self.docker("ps", "--all", "--quiet", check=False).stdout.split()
            if names:
                self.docker("rm", "--force", *names, check=False)
            self._process.terminate()
            self._process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *arguments, check=True):
        return subprocess.run(
            ["docker", *arguments],
            env=self.environ,
            check=check,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def running(self):
        """Names of the containers that there are, ended or not."""
        return self.docker("ps", "--all", "--format", "{{.Names}}").stdout.split()

    def _import_image(self):
        root = f"{self.folder}/root"
        for folder in ("bin", "usr/bin", "usr/lib", "etc", "dev", "proc"):
            os.makedirs(f"{root}/{folder}")
        os.makedirs(f"{root}/tmp")
        os.chmod(f"{root}/tmp", 0o1777)
        programs = {f"{root}/usr/bin/{name}": shutil.which(name) for name in PROGRAMS}
        programs |= {f"{root}/bin/sh": "/bin/sh", f"{root}{SYSTEM_PYTHON}": SYSTEM_PYTHON}
        for target, program in programs.items():
            shutil.copy(program, target)
        for name in ("python", "python3"):
            os.symlink(os.path.basename(SYSTEM_PYTHON), f"{root}/usr/bin/{name}")
        library = "/usr/lib/python3.11"
        ignored = shutil.ignore_patterns("__pycache__", "test", "idlelib", "ensurepip", "tkinter")
        shutil.copytree(library, f"{root}{library}", ignore=ignored, symlinks=False, ignore_dangling_symlinks=True)
        extensions = [entry.path for entry in os.scandir(f"{library}/lib-dynload")]
        for path in _libraries([*programs.values(), *extensions]):
            os.makedirs(os.path.dirname(f"{root}{path}"), exist_ok=True)
            shutil.copy(path, f"{root}{path}")
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                ["docker", "import", "-", IMAGE], stdin=tar.stdout, env=self.environ, check=True, capture_output=True
            )
        shutil.rmtree(root)


def _libraries(programs):
    """Shared libraries of programs, by their own paths."""
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = set()
    for line in told.splitlines():
        words = line.split()
        found.update(word for word in words[:3] if word.startswith("/") and not word.endswith(":"))
    return sorted(path for path in found if os.path.exists(path))
