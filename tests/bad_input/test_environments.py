"""Environments that cannot be: told in the tool's words with a hint, nothing half-made stays, and the next run goes on."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from amlnb import host
from amlnb.api.run_reading import run_at
from amlnb.core import layout
from amlnb.engine import environments
from amlnb.engine.submit import submit as submit_spec
from amlnb.environments import prefixes, specifications
from amlnb.errors import AmlnbError, EnvironmentBuildException, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.specs.run_spec import RunSpec
from tests.environments.package_files import BROKEN_BACKEND, make_sdist, make_wheel

pytestmark = pytest.mark.slow

SCRIPT = "import spam\nprint('version', spam.__version__)\n"


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    """A folder of packages, which is all that uv knows; returns its path."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "packages"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    make_wheel(str(tmp_path / "packages"), "spam", "1.0")
    return str(tmp_path / "packages")


@pytest.fixture
def asked(workspace, own_cache, tmp_path):
    """Submit a script to an environment and wait; returns the run."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)

    def asked_(*pip, **more):
        spec = EnvironmentSpec(pip=pip or ("spam",), origin="--env", **more)
        run = run_at(
            submit_spec(RunSpec("test", str(source), script="train.py", environment=spec), workspace.directory)
        )
        run.wait_for_completion(raise_on_error=False)
        return run

    return asked_


def error_of(run):
    """Message and hint of a run whose environment cannot be; they are in the build log too."""
    assert run.get_status() == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["code"] == "EnvironmentBuildFailed"
    with open(os.path.join(run.directory, layout.BUILD_LOG), encoding="utf-8") as file:
        log = file.read()
    assert "hint: " in log
    assert "Traceback" not in log
    return error["message"], error["hint"]


def left(cache=None):
    """Folders of environments that are there, finished or not."""
    top = os.path.join(cache or host.cache_dir(), prefixes.FOLDER)
    names = os.listdir(top) if os.path.isdir(top) else ()
    return [name for name in names if os.path.isdir(os.path.join(top, name))]


def from_word(word):
    return specifications.from_word(word, specifications.Surroundings(os.getcwd(), os.environ)).spec


class TestPackages:
    def test_no_index_answers(self, asked, monkeypatch):
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        message, hint = error_of(asked("ham"))
        assert "Connection refused" in message
        assert hint.startswith("the package index cannot be reached from here")
        assert left() == []
        monkeypatch.delenv("PIP_INDEX_URL")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        assert asked().get_status() == "Completed"

    def test_a_source_that_does_not_build(self, asked, shelf):
        make_sdist(shelf, "ham", "1.0", backend=BROKEN_BACKEND)
        message, hint = error_of(asked("spam", "ham"))
        assert "command 'gcc' failed" in message
        assert "install build-essential" in hint
        assert left() == []
        make_wheel(shelf, "ham", "1.0")
        assert asked("spam", "ham").get_status() == "Completed"

    @pytest.mark.parametrize(
        "name",
        [
            "spam; touch HERE",
            "$(touch HERE)",
            "`touch HERE`",
            "spam && touch HERE",
            "spam | touch HERE",
            "spam > HERE",
            "spam\n--index-url=http://127.0.0.1:9",
            "-r /etc/passwd",
            "--target=HERE",
            "spam==1.0\0",
            "*",
            "../spam",
        ],
    )
    def test_a_name_that_means_something_to_a_shell_or_to_uv(self, workspace, own_cache, name, shelf):
        with pytest.raises(AmlnbError) as told:
            from_word(f"numpy,{name}")
        assert told.value.hint
        if "\n" not in name:  # as one line
            with pytest.raises(AmlnbError):
                environments.build(EnvironmentSpec(pip=(name,)), workspace.directory.path, print)
        assert not os.path.exists("HERE")
        assert left() == []


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("environment.yml", "a: [1, 2\nb: }", r"environment\.yml"),
            ("environment.yml", "just words", r"environment\.yml"),
            ("environment.yml", "", r"environment\.yml"),
            ("environment.yml", "dependencies: 3", r"environment\.yml"),
            ("environment.yml", "\t- x", r"environment\.yml"),
            ("environment.yml", "!!python/object/apply:os.system ['touch HERE']", r"environment\.yml"),
            ("requirements.txt", "-r requirements.txt", r"circle: requirements\.txt -> requirements\.txt"),
            ("requirements.txt", "-c other.txt", r"there is no file 'other\.txt'"),
            ("requirements.txt", "spam =!= 1", r"requirements\.txt, line 1"),
            ("requirements.txt", "spam\n" * 400_000 + "x" * 10, r"larger than 2,000,000 bytes"),
        ],
        ids=lambda text: text[:20],
    )
    def test_are_refused_before_anything_is_sent(self, workspace, name, text, told):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
        with pytest.raises(UserErrorException, match=told) as error:
            from_word(name)
        assert error.value.hint
        assert len(error.value.message) < 1000
        assert not os.path.exists("HERE")

    @pytest.mark.slow
    def test_two_megabytes_of_requirements_are_read_and_what_is_missing_is_told_in_few_words(self, asked):
        with open("requirements.txt", "w", encoding="utf-8") as file:
            file.writelines(f"no-such-package-{number:06}==1.0\n" for number in range(71_000))
        assert os.path.getsize("requirements.txt") > 1_900_000
        spec = from_word("requirements.txt")
        message, hint = error_of(asked(*spec.pip))
        assert "no-such-package-" in message
        assert hint
        assert len(message) < 10_000
        assert left() == []

    @pytest.mark.slow
    def test_thousands_of_packages_are_installed(self, workspace, own_cache, shelf):
        for number in range(2000):
            make_wheel(shelf, f"part-{number}", "1.0")
        spec = EnvironmentSpec(pip=tuple(f"part-{number}" for number in range(2000)))
        lines = []
        found = environments.build(spec, workspace.directory.path, lines.append)
        assert len(found.lock.packages) == 2000
        subprocess.run([found.interpreter, "-c", "import part_0, part_1999"], check=True)


class TestRoom:
    @pytest.fixture
    def small_cache(self, make_disk, monkeypatch, own_cache, workspace):
        """A disk that holds the environments of this host; the rest of the cache has room."""
        disk = make_disk("size=2m")
        os.symlink(disk.folder, os.path.join(own_cache, prefixes.FOLDER))
        return disk

    def test_a_disk_that_is_full_is_told_and_once_there_is_room_the_next_run_succeeds(self, asked, shelf, small_cache):
        make_wheel(shelf, "ham", "1.0", files={"ham.py": "x = 1\n", "ham.bin": os.urandom(800_000)})
        small_cache.fill()
        message, hint = error_of(asked("spam", "ham"))
        assert "No space left on device" in message
        assert "free some space" in hint
        assert left() == []
        small_cache.free()
        assert asked("spam", "ham").get_status() == "Completed"

    def test_a_disk_that_fills_while_packages_are_installed(self, asked, shelf, small_cache):
        """The environment itself has room there, its packages have not."""
        make_wheel(shelf, "ham", "1.0", files={"ham.py": "x = 1\n", "ham.bin": os.urandom(4_000_000)})
        message, hint = error_of(asked("spam", "ham"))
        assert "No space left on device" in message
        assert "the disk is full" in hint
        assert left() == []
        assert asked().get_status() == "Completed"

    def test_a_full_disk_of_uvs_cache(self, asked, shelf, make_disk, monkeypatch):
        make_wheel(shelf, "ham", "1.0", files={"ham.py": "x = 1\n", "ham.bin": os.urandom(100_000)})
        disk = make_disk("size=1m")
        monkeypatch.setenv("UV_CACHE_DIR", disk.folder)
        disk.fill()
        message, hint = error_of(asked("spam", "ham"))
        assert "No space left on device" in message
        assert "free some space" in hint
        assert left() == []
        disk.free()
        assert asked("spam", "ham").get_status() == "Completed"

    def test_a_folder_that_cannot_be_written_to(self, asked, own_cache, mount):
        folder = mount("-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
        os.symlink(folder, os.path.join(own_cache, prefixes.FOLDER))
        message, hint = error_of(asked())
        assert "Read-only file system" in message
        assert "AMLNB_CACHE_DIR" in hint
        os.unlink(os.path.join(own_cache, prefixes.FOLDER))
        assert asked().get_status() == "Completed"

    def test_locks_that_cannot_be_written(self, asked, workspace, mount):
        path = os.path.join(workspace.directory.path, layout.ENVIRONMENTS)
        folder = mount("-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
        shutil.rmtree(path, ignore_errors=True)
        os.symlink(folder, path)
        message, hint = error_of(asked())
        assert "Read-only file system" in message
        assert hint
        assert left() == []


class TestTools:
    def test_no_uv(self, asked, tmp_path, monkeypatch):
        """As a folder of that name on the path of Python would have it."""
        (tmp_path / "path" / "uv").mkdir(parents=True)
        (tmp_path / "path" / "uv" / "__init__.py").write_text("raise ImportError('no uv here')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
        message, hint = error_of(asked())
        assert message == "uv, which builds environments, is not installed beside amlnb: no uv here"
        assert hint == "pip install uv"
        monkeypatch.delenv("PYTHONPATH")
        assert asked().get_status() == "Completed"

    def test_a_uv_that_fails(self, asked, tmp_path, monkeypatch):
        program = tmp_path / "path" / "program"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho 'error: something new' >&2\nexit 3\n")
        program.chmod(0o755)
        (tmp_path / "path" / "uv.py").write_text(f"def find_uv_bin(): return {str(program)!r}\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
        run = asked()
        assert run.get_status() == "Failed"
        assert "something new" in run.get_details()["error"]["error"]["message"]

    def test_the_python_that_was_chosen_is_gone(self, workspace, own_cache, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "executable", str(tmp_path / "gone" / "python"))
        with pytest.raises((EnvironmentBuildException, OSError)) as error:
            environments.build(EnvironmentSpec(pip=("spam",)), workspace.directory.path, print)
        assert "gone" in str(error.value)
        assert left() == []

    def test_a_temporary_folder_that_is_not_there(self, asked, tmp_path, monkeypatch):
        monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
        assert asked().get_status() == "Completed"


def test_a_dockerfile_or_script_is_no_requirement(workspace):
    with open("train.py", "w", encoding="utf-8") as file:
        file.write(textwrap.dedent("import os"))
    with pytest.raises(UserErrorException) as error:
        from_word("./train.py")
    assert error.value.hint
