"""The contract of builders, held by all that we have."""

import os
import subprocess

import pytest

from amlnb import host
from amlnb.environments import conda_channels, interpreters
from amlnb.environments.conda_builder import CondaBuilder
from amlnb.environments.container_builder import ContainerBuilder
from amlnb.environments.uv_builder import UvBuilder
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.testing.builder_contract import BuilderContract, ResolvingContract

from .container_host import IMAGE
from .package_files import (
    index_channel,
    make_conda_package,
    make_conda_python,
    make_index,
    make_noarch_package,
    make_wheel,
    served,
)

pytestmark = pytest.mark.slow

OWN = interpreters.own()
PASSWORD = "pw-of-the-index-0123"


class OnAFullDisk:
    @pytest.fixture
    def full_disk(self, tmp_path):
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "tmpfs", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a file system must be mounted for this, and cannot be here: {done.stderr.strip()}")
        (folder / "environment").mkdir()
        with open(folder / "filler", "wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue
        yield str(folder)
        subprocess.run(["umount", "-l", folder], check=True)


class TestUv(OnAFullDisk, ResolvingContract):
    @pytest.fixture
    def packages(self, tmp_path):
        folder = str(tmp_path / "packages")
        make_wheel(folder, "spam", "1.0", requires=["ham<2"])
        make_wheel(folder, "ham", "1.5")
        make_wheel(folder, "ham", "2.0")
        make_index(folder)
        return folder

    @pytest.fixture
    def make(self, tmp_path):
        environ = {
            **os.environ,
            "PIP_NO_INDEX": "",
            "PIP_CONFIG_FILE": os.devnull,
            "UV_CACHE_DIR": str(tmp_path / "uv"),
        }
        environ = {name: value for name, value in environ.items() if not name.startswith("PIP_")}
        environ["PIP_CONFIG_FILE"] = os.devnull
        return lambda spec: UvBuilder(OWN, environ, str(tmp_path), spec)

    @pytest.fixture
    def wanted(self, packages):
        return EnvironmentSpec(pip=("spam",), pip_options=(f"--index-url file://{packages}/simple",))

    @pytest.fixture
    def unknown(self, packages):
        return EnvironmentSpec(pip=("nosuch-package",), pip_options=(f"--index-url file://{packages}/simple",))

    @pytest.fixture
    def conflict(self, packages):
        return EnvironmentSpec(pip=("spam", "ham>=2"), pip_options=(f"--index-url file://{packages}/simple",))

    @pytest.fixture
    def guarded(self, packages):
        with served(packages, "me", PASSWORD) as (address, _):
            options = (f"--index-url http://{address}/simple",)
            yield EnvironmentSpec(pip=("spam",), pip_options=options, credentials={address: f"me:{PASSWORD}"})

    def proof(self, prefix):
        code = "import spam, ham; print(spam.__version__, ham.__version__)"
        return subprocess.run([f"{prefix}/bin/python", "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("contract") / "channel")
    make_conda_python(folder)
    make_conda_package(folder, "ham", "1.5", files={"share/where": "{prefix}"}, prefix_files=["share/where"])
    make_conda_package(folder, "ham", "2.0")
    make_conda_package(folder, "many-files", "1.0", files={f"share/many/{at}": "x" * 500 for at in range(2000)})
    make_noarch_package(folder, "spam", "1.0", depends=["python", "ham <2", "many-files"])
    index_channel(folder)
    return folder


class TestConda(OnAFullDisk, ResolvingContract):
    @pytest.fixture
    def make(self, tmp_path, own_cache):
        def make_(spec):
            named = conda_channels.of(spec)
            return CondaBuilder(OWN, dict(os.environ), str(tmp_path), spec.credentials, host.cache_dir(), named)

        return make_

    @pytest.fixture
    def wanted(self, channel):
        return EnvironmentSpec(conda=("spam",), channels=(channel,), use_conda=True)

    @pytest.fixture
    def unknown(self, channel):
        return EnvironmentSpec(conda=("nosuch-package",), channels=(channel,), use_conda=True)

    @pytest.fixture
    def conflict(self, channel):
        return EnvironmentSpec(conda=("spam", "ham>=2"), channels=(channel,), use_conda=True)

    @pytest.fixture
    def guarded(self, channel):
        with served(channel, "me", PASSWORD) as (address, _):
            channels = (f"http://{address}/",)
            yield EnvironmentSpec(conda=("spam",), channels=channels, credentials={address: f"me:{PASSWORD}"})

    def proof(self, prefix):
        with open(f"{prefix}/share/where", encoding="utf-8") as file:
            where = file.read()
        files = sum(len(names) for _, _, names in os.walk(f"{prefix}/share/many"))
        said = subprocess.run([f"{prefix}/bin/spam"], capture_output=True, text=True, check=True).stdout
        return f"{where} {files} {said}"


@pytest.mark.slow
class TestContainer(OnAFullDisk, BuilderContract):
    @pytest.fixture(autouse=True)
    def engine(self, container_host, monkeypatch):
        for name, value in container_host.variables.items():
            monkeypatch.setenv(name, value)

    @pytest.fixture
    def make(self, container_host):
        return lambda spec: ContainerBuilder(container_host.environ, spec.credentials)

    @pytest.fixture
    def wanted(self):
        return EnvironmentSpec(dockerfile=f"FROM {IMAGE}\nENV CONTRACT=held\n")

    @pytest.fixture
    def unknown(self):
        return EnvironmentSpec(image="127.0.0.1:9/nosuch-image")
