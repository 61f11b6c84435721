"""Under which key a request is known: what counts, and what does not."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.environments import keys
from amlnb.environments.builder import Interpreter
from amlnb.environments.uv_builder import UvBuilder
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.testing.builder_contract import KeptLog

from .package_files import make_sdist, make_wheel

PYTHON = Interpreter(sys.executable, "3.11.7")
ASKED = EnvironmentSpec(pip=("spam==1.0", "ham"), pip_options=("--extra-index-url https://a.invalid",))


def key(spec, python=PYTHON):
    return keys.request_key(spec, python)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "n"},
        {"version": "3"},
        {"origin": "requirements.txt"},
        {"notes": ("n",)},
        {"variables": {"A": "1"}},
        {"credentials": {"a.invalid": "me:secret"}},
        {"pip": ("ham", "spam==1.0")},
    ],
    ids=str,
)
def test_what_does_not_count(change):
    assert key(replace(ASKED, **change)) == key(ASKED)


@pytest.mark.parametrize(
    "change",
    [
        {"pip": ("spam==1.1", "ham")},
        {"pip_options": ("--extra-index-url https://b.invalid",)},
        {"constraints": ("ham<3",)},
        {"python": "3.11"},
        {"strict": True},
        {"conda": ("ham",)},
        {"use_conda": True},
    ],
    ids=str,
)
def test_what_counts(change):
    assert key(replace(ASKED, **change)) != key(ASKED)


def test_the_order_of_indexes_counts():
    options = ("--extra-index-url https://a.invalid", "--extra-index-url https://b.invalid")
    assert key(replace(ASKED, pip_options=options)) != key(replace(ASKED, pip_options=options[::-1]))


def test_the_minor_version_of_the_python_counts():
    assert key(ASKED, Interpreter("/elsewhere", "3.11.9")) == key(ASKED)
    assert key(ASKED, Interpreter(sys.executable, "3.12.1")) != key(ASKED)


# A path would be looked at, and the content of folders of this machine changes.
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=30), max_size=5), st.randoms())
def test_any_texts_have_one_key_in_any_order(texts, random):
    shuffled = list(texts)
    random.shuffle(shuffled)
    found = key(EnvironmentSpec(pip=tuple(texts)))
    assert found == key(EnvironmentSpec(pip=tuple(shuffled)))
    assert len(found) == 32


@pytest.mark.parametrize(
    ("requirement", "path"),
    [
        ("spam==1.0", None),
        ("spam @ https://host.invalid/a/b.whl", None),
        ("spam @ git+https://host.invalid/a/b.git", None),
        ("/a/b.whl", "/a/b.whl"),
        ("/a/my project", "/a/my project"),
        ("-e /a/my project", "/a/my project"),
        ("/a/my project[extra,more]", "/a/my project"),
        ("/a/my project[extra] ; python_version < '4'", "/a/my project"),
        ("/a/b.whl --hash=sha256:00", "/a/b.whl"),
        ("/a/100%25/b.whl", "/a/100%25/b.whl"),
        ("file:///a/my%20project", "/a/my project"),
        ("-e file:///a/my%20project#egg=spam", "/a/my project"),
        ("spam @ file:///a/my%20project/b.whl", "/a/my project/b.whl"),
        ("spam[extra]@file:///a/b.whl ; python_version < '4'", "/a/b.whl"),
    ],
)
def test_the_path_that_a_requirement_names(requirement, path):
    assert keys.local_path(requirement) == path


class TestAProjectOfThisMachine:
    @pytest.fixture
    def project(self, tmp_path):
        folder = tmp_path / "my project"
        archive = make_sdist(str(tmp_path / "source"), "spam", "1.0")
        folder.mkdir()
        subprocess.run(["tar", "xzf", archive, "-C", folder, "--strip-components=1"], check=True)
        return folder

    def test_its_content_counts(self, project):
        spec = EnvironmentSpec(pip=(str(project),))
        before = key(spec)
        assert key(spec) == before
        (project / "module.py").write_text("x = 1")
        assert key(spec) != before

    @pytest.mark.parametrize("place", ["build/x", "dist/x", "spam.egg-info/PKG-INFO", "__pycache__/x.pyc", ".git/x"])
    def test_what_builds_leave_there_does_not(self, project, place):
        spec = EnvironmentSpec(pip=(str(project),))
        before = key(spec)
        (project / place).parent.mkdir()
        (project / place).write_text("x")
        assert key(spec) == before

    def test_of_an_editable_one_its_metadata_alone(self, project):
        spec = EnvironmentSpec(pip=(f"-e {project}",))
        before = key(spec)
        (project / "module.py").write_text("x = 1")
        assert key(spec) == before
        (project / "setup.cfg").write_text("[metadata]")
        assert key(spec) != before

    def test_what_is_no_file_is_passed_over(self, project):
        os.mkfifo(project / "pipe")
        (project / "nowhere").symlink_to("/nowhere/at/all")
        before = keys.content_of(str(project))
        (project / "module.py").write_text("x = 1")
        assert keys.content_of(str(project)) != before
        key(EnvironmentSpec(pip=(str(project),)))

    def test_a_wheel_that_was_made_anew_counts(self, tmp_path):
        folder = str(tmp_path / "my wheels")
        spec = EnvironmentSpec(pip=(make_wheel(folder, "spam", "1.0"),))
        before = key(spec)
        make_wheel(folder, "spam", "1.0", files={"spam.py": "changed = True"})
        assert key(spec) != before

    def test_is_built_anew_once_its_code_has_changed(self, project, tmp_path):
        spec = EnvironmentSpec(pip=(str(project),))
        environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "UV_CACHE_DIR": str(tmp_path / "uv")}
        builder = UvBuilder(Interpreter(sys.executable, PYTHON.version), environ, str(tmp_path), spec)
        said = []
        for number in (1, 2):
            made = make_sdist(str(tmp_path / str(number)), "spam", "1.0", files={"spam.py": f"said = {number}"})
            name = "spam-1.0/made.whl.base64"
            wheel = subprocess.run(["tar", "xzOf", made, name], capture_output=True, check=True).stdout
            (project / "made.whl.base64").write_bytes(wheel)  # of the project's own files only this one
            lock = builder.lock(spec, KeptLog())
            prefix = tmp_path / lock.key
            prefix.mkdir()
            builder.build(lock, str(prefix), KeptLog())
            code = [prefix / "bin" / "python", "-c", "import spam; print(spam.said)"]
            said.append(subprocess.run(code, capture_output=True, text=True, check=True).stdout)
        assert said == ["1\n", "2\n"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Spam", "spam"),
        ("spam ", "spam"),
        ("spam_eggs.x", "spam-eggs-x"),
        ("spam >= 1, <3", "spam<3,>=1"),
    ],
)
def test_how_a_requirement_is_written_does_not_count(one, other):
    assert key(EnvironmentSpec(pip=(one,))) == key(EnvironmentSpec(pip=(other,)))


def test_what_a_requirement_says_counts():
    texts = ["spam", "spam==1", "spam==1.*", "spam[fast]", "spam; python_version < '3'", "spam>=1", "spam>1", "spamx"]
    assert len({key(EnvironmentSpec(pip=(text,))) for text in texts}) == len(texts)


def test_channels_count_only_for_conda_packages():
    assert key(EnvironmentSpec(pip=("spam",), channels=("conda-forge",))) == key(EnvironmentSpec(pip=("spam",)))
    conda = [EnvironmentSpec(conda=("spam",), channels=(name,)) for name in ("conda-forge", "mine")]
    assert len(set(map(key, conda))) == 2
