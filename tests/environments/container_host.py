"""Real container engines that the test sets up itself, with an image made of this machine's own Python."""

import os
import shutil
import subprocess
import tempfile
import time

SYSTEM_PYTHON = "/usr/bin/python3.11"
PROGRAMS = ("cat", "env", "id", "ls", "sleep")
IMAGE = "amlnb-test-base:1"
DOCKER_SETTINGS = ("--iptables=false", "--bridge=none", "--default-ulimit=nofile=10000:10000")
PODMAN_SETTINGS = """
[containers]
netns = "host"
default_ulimits = ["nofile=10000:10000", "nproc=10000:10000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""


class ContainerHost:
    """An engine in a folder of its own; `variables` lead its client there, and `environ` has them all."""

    client = ""

    def __init__(self):
        # Short: the path of a Unix socket must stay below 108 bytes.
        self.folder = tempfile.mkdtemp(prefix="amlnb-")
        self.variables = {"AMLNB_CONTAINER_ENGINE": self.client}

    @property
    def environ(self):
        return {**os.environ, **self.variables}

    def start(self):
        """Start it; returns why it cannot be, else None."""
        if os.geteuid() != 0:
            return f"{self.client} needs root here"
        if not os.path.exists(SYSTEM_PYTHON):
            return f"there is no {SYSTEM_PYTHON} to make an image of"
        trouble = self.start_engine()
        if trouble is None:
            self._import_image()
        return trouble

    def start_engine(self):
        raise NotImplementedError

    def stop_engine(self):
        pass

    def stop(self):
        names = self.ask("ps", "--all", "--quiet", check=False).stdout.split() if shutil.which(self.client) else []
        if names:
            self.ask("rm", "--force", *names, check=False)
        self.stop_engine()
        with open("/proc/self/mounts", encoding="utf-8") as file:
            mounted = [line.split()[1] for line in file if line.split()[1].startswith(f"{self.folder}/")]
        for path in reversed(mounted):
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *arguments, check=True):
        return subprocess.run(
            [self.client, *arguments],
            env=self.environ,
            check=check,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def running(self):
        """Names of the containers that there are, ended or not."""
        return self.ask("ps", "--all", "--format", "{{.Names}}").stdout.split()

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
                [self.client, "import", "-", IMAGE], stdin=tar.stdout, env=self.environ, check=True, capture_output=True
            )
        shutil.rmtree(root)


class DockerHost(ContainerHost):
    client = "docker"
    _process = None

    def start_engine(self):
        program = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if program is None or shutil.which("docker") is None:
            return "dockerd is not installed (apt-get install docker.io)"
        self.variables["DOCKER_HOST"] = f"unix://{self.folder}/sock"
        roots = [f"--{name}-root={self.folder}/{name}" for name in ("data", "exec")]
        with open(f"{self.folder}/log", "wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    *roots,
                    f"--pidfile={self.folder}/pid",
                    f"--host=unix://{self.folder}/sock",
                    *DOCKER_SETTINGS,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while self.ask("info", check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                with open(f"{self.folder}/log", encoding="utf-8") as log:
                    return f"dockerd does not start: {log.read()[-500:]}"
            time.sleep(0.05)
        return None

    def stop_engine(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


class PodmanHost(ContainerHost):
    client = "podman"

    def start_engine(self):
        if shutil.which("podman") is None or shutil.which("catatonit") is None:
            return "podman is not installed (apt-get install podman catatonit)"
        storage = f'[storage]\ndriver = "overlay"\nrunroot = "{self.folder}/run"\ngraphroot = "{self.folder}/graph"\n'
        for name, text in (("containers", PODMAN_SETTINGS), ("storage", storage)):
            with open(f"{self.folder}/{name}.conf", "w", encoding="utf-8") as file:
                file.write(text)
        self.variables["CONTAINERS_CONF"] = f"{self.folder}/containers.conf"
        self.variables["CONTAINERS_STORAGE_CONF"] = f"{self.folder}/storage.conf"
        done = self.ask("info", check=False)
        return f"podman does not answer: {done.stderr.strip()}" if done.returncode else None


def _libraries(programs):
    """Shared libraries of programs, by their own paths."""
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = set()
    for line in told.splitlines():
        words = line.split()
        found.update(word for word in words[:3] if word.startswith("/") and not word.endswith(":"))
    return sorted(path for path in found if os.path.exists(path))
