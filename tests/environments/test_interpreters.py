"""Which Python an environment gets: the workspace's own, or another of this machine, known by its place alone."""

import contextlib
import os
import platform
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from amlnb.environments import interpreters
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

MINE = platform.python_version()
MINOR = ".".join(MINE.split(".")[:2])
OTHER = "3.9" if MINOR != "3.9" else "3.8"


class Machine:
    """Folders with programs that are called like Pythons, and tell if they are ever run."""

    def __init__(self, folder):
        self.folder = folder
        self.ran = folder / "ran"
        self.environ = {
            "HOME": str(folder / "home"),
            "PATH": f"{folder / 'bin'}:{folder / 'pyenv' / 'shims'}::{folder / 'not-there'}",
            "PYENV_ROOT": str(folder / "pyenv"),
            "UV_PYTHON_INSTALL_DIR": str(folder / "uv"),
        }

    def program(self, place):
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {self.ran}\n")
        path.chmod(0o755)
        return str(path)

    def pyenv(self, name):
        return self.program(f"pyenv/versions/{name}/bin/python3")

    def uv(self, name):
        return self.program(f"uv/{name}/bin/python3")

    def found(self):
        return {(each.path, each.version) for each in interpreters.find_all(self.environ)}

    def choose(self, python, **asked):
        return interpreters.choose(EnvironmentSpec(python=python, **asked), self.environ)


@pytest.fixture
def machine(tmp_path):
    yield (machine := Machine(tmp_path))
    assert not machine.ran.exists()


@pytest.mark.parametrize("python", [None, MINOR, MINE, f"{MINOR}.*", ">=3.8", "3", f"=={MINE}", f" >= {MINOR} "])
def test_the_workspaces_own_where_it_will_do(machine, python):
    machine.pyenv(f"{MINOR}.99")
    chosen, note = machine.choose(python)
    assert (chosen.path, chosen.version, note) == (sys.executable, MINE, None)


def test_a_soft_version_stands_for_the_workspaces_own_and_that_is_told(machine):
    machine.pyenv(f"{OTHER}.1")
    chosen, note = machine.choose("3.6.2", python_is_soft=True)
    assert chosen == interpreters.own()
    assert note == f"Python 3.6.2 was asked for; {MINE}, the workspace's own, is taken"


def test_a_strict_one_does_not(machine):
    path = machine.pyenv(f"{OTHER}.1")
    chosen, note = machine.choose(OTHER, python_is_soft=True, strict=True)
    assert (chosen.path, note) == (path, None)
    with pytest.raises(EnvironmentBuildException) as error:
        machine.choose("3.6.2", python_is_soft=True, strict=True)
    assert error.value.message.endswith("and this machine has none (runs need 3.7 or newer)")
    assert "without strict=True the workspace's own is taken" in error.value.hint


@pytest.mark.parametrize(
    ("python", "chosen"),
    [
        (OTHER, f"{OTHER}.12"),
        (f"{OTHER}.4", f"{OTHER}.4"),
        (f"=={OTHER}.4", f"{OTHER}.4"),
        (f"<{OTHER}.12,>={OTHER}", f"{OTHER}.4"),
        (f"~={OTHER}.4,<{OTHER}.99", f"{OTHER}.12"),
        ("<3.8", "3.7.1"),
        (f"!={MINE},>=3.50", "3.50.2"),
    ],
)
def test_of_several_the_newest_that_will_do(machine, python, chosen):
    paths = {version: machine.pyenv(version) for version in (f"{OTHER}.4", f"{OTHER}.12", "3.7.1", "3.50.2", "3.50.1")}
    found, note = machine.choose(python)
    assert (found.path, found.version, note) == (paths[chosen], chosen, None)


class TestFound:
    def test_on_path_by_the_minor_version_in_its_name(self, machine):
        path = machine.program(f"bin/python{OTHER}")
        assert machine.found() == {(path, OTHER)}
        assert machine.choose(OTHER)[0].path == path
        assert machine.choose(f">={OTHER},<{OTHER}.99")[0].path == path
        with pytest.raises(EnvironmentBuildException):  # it may be any 3.9
            machine.choose(f"{OTHER}.4")

    def test_by_the_folder_that_a_link_leads_to(self, machine):
        real = machine.program(f"opt/{OTHER}.7/bin/python{OTHER}")
        (machine.folder / "bin").mkdir()
        link = machine.folder / "bin" / f"python{OTHER}"
        link.symlink_to(real)
        assert machine.found() == {(str(link), f"{OTHER}.7")}

    def test_among_those_of_pyenv_and_uv(self, machine):
        expected = {
            (machine.pyenv("3.10.4"), "3.10.4"),
            (machine.pyenv("3.13-dev"), "3.13"),
            (machine.uv("cpython-3.12.3-linux-x86_64-gnu"), "3.12.3"),
        }
        assert machine.found() == expected

    def test_one_with_two_names_once_by_its_whole_version(self, machine):
        machine.uv("cpython-3.12.3-linux-x86_64-gnu")
        (machine.folder / "uv" / "cpython-3.12-linux-x86_64-gnu").symlink_to("cpython-3.12.3-linux-x86_64-gnu")
        assert [version for _, version in machine.found()] == ["3.12.3"]

    @pytest.mark.parametrize(
        "place",
        [
            "bin/python3",
            "bin/python3.9-config",
            "bin/python3.6",
            "bin/python2.7",
            "pyenv/shims/python3.9",
            "pyenv/versions/3.6.15/bin/python3",
            "pyenv/versions/3.13.0t/bin/python3",
            "pyenv/versions/miniconda3-3.9-24.1/bin/python3",
            "pyenv/versions/my-environment/bin/python3",
            "pyenv/versions/3.9.1/bin/other",
            "uv/pypy-3.10.14-linux/bin/python3",
        ],
    )
    def test_not_what_is_none_or_too_old_or_stands_for_another(self, machine, place):
        machine.program(place)
        assert machine.found() == set()

    def test_not_what_cannot_be_run(self, machine):
        os.chmod(machine.pyenv("3.9.1"), 0o644)
        (machine.folder / "bin").mkdir()
        (machine.folder / "bin" / "python3.9").symlink_to("nowhere")
        assert machine.found() == set()

    def test_in_the_home_where_no_variable_tells_another_place(self, machine):
        paths = {
            machine.program("home/.pyenv/versions/3.9.1/bin/python3"),
            machine.program("home/.local/share/uv/python/cpython-3.10.1-linux-x86_64-gnu/bin/python3"),
        }
        environ = {"HOME": machine.environ["HOME"]}
        assert {each.path for each in interpreters.find_all(environ)} == paths


def test_what_is_not_here_is_told_with_what_is(machine):
    machine.pyenv("3.10.4")
    machine.pyenv("3.10.5")
    with pytest.raises(EnvironmentBuildException) as error:
        machine.choose(">=3.99")
    assert error.value.message == "the environment asks for Python >=3.99, and this machine has none"
    minors = sorted({MINOR, "3.10"}, key=Version)
    assert error.value.hint == f"there are: {', '.join(minors)}; 'uv python install 3.99' downloads another one"


@pytest.mark.parametrize("python", ["banana", "", "3.11 or so", ">=", "3..1", "==3.9,=", "pypy3.9", "3.11\n; x"])
def test_what_is_no_version_is_told(machine, python):
    with pytest.raises(EnvironmentBuildException) as error:
        machine.choose(python)
    assert repr(python) in error.value.message
    assert error.value.hint == "write for example python=3.11"


@given(st.text(max_size=12) | st.from_regex(r"[<>=!~]{0,2} ?3(\.[0-9]{1,2}){0,2}(\.\*)?", fullmatch=True))
def test_any_text_is_a_version_or_told_to_be_none(python):
    environ = {"HOME": "/nowhere", "PATH": ""}
    with contextlib.suppress(EnvironmentBuildException):
        chosen, _ = interpreters.choose(EnvironmentSpec(python=python), environ)
        assert chosen == interpreters.own()


@pytest.mark.parametrize(
    ("asked", "is_exact"),
    [
        ({}, False),
        ({"python": "3.11"}, False),
        ({"python": "3.11.*"}, False),
        ({"python": "3"}, False),
        ({"python": ">=3.9,<3.12"}, False),
        ({"python": "3.11.2"}, True),
        ({"python": "==3.11.2"}, True),
        ({"python": ">=3.11.2"}, True),
        ({"python": "3.11.2", "python_is_soft": True}, False),
        ({"python": "3.11.2", "python_is_soft": True, "strict": True}, True),
    ],
    ids=str,
)
def test_a_patch_counts_where_it_was_asked_for(asked, is_exact):
    assert interpreters.is_exact(EnvironmentSpec(**asked)) is is_exact
