"""Hashes that stand in a requirements file are those of the files that are installed, or nothing is."""

import hashlib
import os
from pathlib import Path

import pytest

from amlnb.environments import interpreters
from amlnb.environments.uv_builder import UvBuilder
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.testing.builder_contract import KeptLog

from .package_files import make_sdist, make_wheel

NOTHING = "sha256:" + "0" * 64


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def lock(shelf, tmp_path):
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shelf, "UV_CACHE_DIR": str(tmp_path / "uv")}

    def lock_(*pip, **asked):
        spec = EnvironmentSpec(pip=pip, **asked)
        return UvBuilder(interpreters.own(), environ, str(tmp_path), spec).lock(spec, KeptLog())

    return lock_


def hash_of(path):
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


def test_of_the_files_on_offer_only_those_asked_for_are_locked(shelf, lock):
    wheel = hash_of(make_wheel(shelf, "spam", "1.0"))
    make_sdist(shelf, "spam", "1.0")
    assert len(lock("spam==1.0").packages[0].hashes) == 2
    assert lock(f"spam==1.0 --hash={wheel} --hash={NOTHING}").packages[0].hashes == (wheel,)
    assert lock("spam==1.0 --hash=" + "sha512:" + "0" * 128).packages[0].hashes == ("sha512:" + "0" * 128,)


@pytest.mark.parametrize("strict", [False, True])
def test_another_file_is_refused(shelf, lock, strict):
    make_wheel(shelf, "spam", "1.0")
    with pytest.raises(EnvironmentBuildException, match=f"Hash mismatch for spam==1.0: asked for is {NOTHING}") as told:
        lock(f"spam==1.0 --hash={NOTHING}", strict=strict)
    assert "changed the file" in told.value.hint


def test_with_one_hash_all_need_one(shelf, lock):
    spam = hash_of(make_wheel(shelf, "spam", "1.0", requires=["ham"]))
    ham = hash_of(make_wheel(shelf, "ham", "2.0"))
    with pytest.raises(EnvironmentBuildException, match=r"have none: ham==2\.0"):
        lock(f"spam==1.0 --hash={spam}")
    with pytest.raises(EnvironmentBuildException, match=r"have none: ham==2\.0, spam==1\.0"):
        lock("spam==1.0", pip_options=("--require-hashes",))
    assert lock(f"spam==1.0 --hash={spam}", constraints=(f"ham==2.0 --hash={ham}",)).versions() == {
        "spam": "1.0",
        "ham": "2.0",
    }


def test_no_other_version_stands_in_for_one_with_a_hash(shelf, lock):
    make_wheel(shelf, "spam", "1.0", tag="cp27-cp27m-manylinux1_x86_64")
    make_wheel(shelf, "spam", "1.1")
    with pytest.raises(EnvironmentBuildException, match=r"spam==1\.0"):
        lock(f"spam==1.0 --hash={NOTHING}")


def test_a_folder_has_no_hash(lock, tmp_path):
    project = tmp_path / "mine"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "0.1"\n[build-system]\nrequires = []\nbuild-backend = "b"\n'
    )
    with pytest.raises(EnvironmentBuildException, match="of which there is none"):
        lock(f"mine @ {project.as_uri()} --hash={NOTHING}")
