"""Environments that uv makes of tiny packages in a folder, which stands for an index."""

import os
import subprocess
from dataclasses import replace

import pytest

from amlnb.environments import interpreters
from amlnb.environments.asking import request_of
from amlnb.environments.build import build
from amlnb.environments.index_settings import settings
from amlnb.environments.pip_packages import check_installed
from amlnb.environments.requests import Order
from amlnb.environments.uv import Uv
from amlnb.environments.uv_builder import UvBuilder, make_venv
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.testing.builder_contract import KeptLog as Log

from .package_files import BROKEN_BACKEND, make_sdist, make_wheel

OLD_TAG = "cp27-cp27m-manylinux1_x86_64"
AGO_TAG = "cp37-cp37m-manylinux1_x86_64"
# What is asked for, what it becomes, and which of it is told as changed.
OLD_SETS = {
    "two pins": (("spam==1.0", "ham==1.0"), {"spam": "2.0", "ham": "2.0"}, ["spam==1.0", "ham==1.0"]),
    "the nearest, not the newest": (("spam==1.0", "ham==3.0"), {"spam": "2.0", "ham": "3.0"}, ["spam==1.0"]),
    "a series": (("spam==1.*", "ham==1.*"), {"spam": "2.0", "ham": "2.0"}, ["spam==1.*", "ham==1.*"]),
    "an upper bound": (("spam==1.0", "ham<=1.0"), {"spam": "2.0", "ham": "2.0"}, ["spam==1.0", "ham<=1.0"]),
    "an upper bound that need not change": (("spam==1.0", "ham<3"), {"spam": "2.0", "ham": "2.0"}, ["spam==1.0"]),
    "what is not pinned is the newest": (("spam==1.0", "ham"), {"spam": "2.0", "ham": "4.0"}, ["spam==1.0"]),
    "two that have wheels": (("spam==3.0", "ham==1.0"), {"spam": "3.0", "ham": "4.0"}, ["ham==1.0"]),
    "a source that builds stays": (
        ("spam==1.0", "ham==1.0", "only-source==1.0"),
        {"spam": "2.0", "ham": "2.0", "only-source": "1.0"},
        ["spam==1.0", "ham==1.0"],
    ),
    "a source that has no wheel": (
        ("spam==1.0", "ham==1.0", "no-wheel"),
        {"spam": "2.0", "ham": "2.0", "no-wheel": "1.0"},
        ["spam==1.0", "ham==1.0"],
    ),
    "nothing is above": (("ham==1.0", "spam==4.0"), {"spam": "3.0", "ham": "4.0"}, ["ham==1.0", "spam==4.0"]),
}


@pytest.fixture
def shelf(tmp_path):
    """A folder of packages, and variables by which uv knows no other."""
    folder = tmp_path / "packages"
    folder.mkdir()
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "UV_CACHE_DIR": str(tmp_path / "uv")}
    return str(folder), environ


@pytest.fixture
def lock(shelf, tmp_path):
    """Lock requirements; returns the lock and the log."""

    def lock_(*pip, **asked):
        spec = EnvironmentSpec(pip=pip, **asked)
        log = Log()
        return UvBuilder(interpreters.own(), shelf[1], str(tmp_path), spec).lock(spec, log), log

    return lock_


def versions(lock_):
    return lock_.versions()


class TestLock:
    def test_holds_names_versions_and_hashes(self, shelf, lock):
        make_wheel(shelf[0], "Spam_Eggs", "1.2", requires=["ham>=1"])
        make_wheel(shelf[0], "ham", "1.0")
        found, _ = lock("spam-eggs")
        assert versions(found) == {"spam-eggs": "1.2", "ham": "1.0"}
        assert all(each.hashes[0].startswith("sha256:") for each in found.packages)
        assert (found.builder, found.notes, found.build_constraints) == ("uv", (), ())
        assert found.python.startswith(f"{found.minor}.")

    def test_is_the_same_for_the_same_packages(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0")
        assert lock("spam")[0].key == lock("spam==1.0")[0].key
        make_wheel(shelf[0], "spam", "2.0")
        assert lock("spam")[0].key != lock("spam==1.0")[0].key

    def test_knows_nothing_of_where_the_files_lie(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0")
        assert shelf[0] not in str(lock("spam")[0].to_dict())

    def test_honours_constraints_and_markers(self, shelf, lock):
        for version in ("1.0", "2.0"):
            make_wheel(shelf[0], "spam", version)
        assert versions(lock("spam", constraints=("spam<2",))[0]) == {"spam": "1.0"}
        assert versions(lock("spam; python_version < '3'")[0]) == {}

    def test_takes_a_local_folder_by_its_path(self, shelf, lock, tmp_path):
        project = tmp_path / "my project"
        project.mkdir()
        (project / "pyproject.toml").write_text(
            '[project]\nname = "mine"\nversion = "0.1"\n[build-system]\nrequires = []\n'
            'build-backend = "backend"\nbackend-path = ["."]\n'
        )
        found, _ = lock(f"mine @ {project.as_uri()}")
        assert [(each.name, each.source) for each in found.packages] == [("mine", str(project))]


@pytest.mark.slow
class TestPinsThatCannotBeMet:
    def test_no_file_fits(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0", tag=OLD_TAG)
        for version in ("1.1", "2.0"):
            make_wheel(shelf[0], "spam", version)
        found, log = lock("spam==1.0")
        assert versions(found) == {"spam": "1.1"}
        assert "spam==1.0 cannot be met" in found.notes[0]
        assert "spam==1.1 is the nearest that can" in found.notes[0]
        assert log.notes == list(found.notes)

    def test_a_whole_series_does_not_fit(self, shelf, lock):
        for version in ("1.4.0", "1.4.1"):
            make_wheel(shelf[0], "spam", version, tag=OLD_TAG)
        make_wheel(shelf[0], "spam", "1.13.0")
        assert versions(lock("spam==1.4.*")[0]) == {"spam": "1.13.0"}

    def test_the_nearest_does_not_go_with_the_rest(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0", tag=OLD_TAG)
        for version in ("1.1", "1.2", "1.3"):
            make_wheel(shelf[0], "spam", version)
        make_wheel(shelf[0], "ham", "1.0", requires=["spam>=1.2"])
        found, _ = lock("spam==1.0", "ham")
        assert versions(found) == {"spam": "1.2", "ham": "1.0"}
        assert "spam==1.2 is the nearest that can" in found.notes[0]

    def test_the_source_does_not_build(self, shelf, lock):
        make_sdist(shelf[0], "spam", "1.0", backend=BROKEN_BACKEND)
        make_wheel(shelf[0], "spam", "1.5")
        found, log = lock("spam==1.0")
        assert versions(found) == {"spam": "1.5"}
        assert "Failed to build `spam==1.0`" in log.text

    def test_another_python_of_this_machine_has_a_wheel(self, shelf, lock):
        other = next(
            (each for each in interpreters.find_all(os.environ) if each.minor != interpreters.own().minor), None
        )
        if other is None:
            pytest.skip("this machine has one Python")
        digits = other.minor.replace(".", "")
        make_sdist(shelf[0], "spam", "1.0", backend=BROKEN_BACKEND)
        make_wheel(shelf[0], "spam", "1.0", tag=f"cp{digits}-none-any")
        make_wheel(shelf[0], "spam", "1.5")
        found, log = lock("spam==1.0")
        told = f"Python {other.minor} is here and has wheels of spam==1.0: --env 'python={other.minor},...' takes it"
        assert told in log.text
        assert versions(found) == {"spam": "1.5"}
        assert told in found.notes[1]

    @pytest.mark.parametrize("name", OLD_SETS)
    def test_a_set_of_old_pins_becomes_the_nearest_set_that_goes_together(self, shelf, lock, name):
        pip, expected, changed = OLD_SETS[name]
        # What fits this Python begins at 2, and wants its like beside it; 5 is not final.
        for version in ("1.0", "1.1", "4.0"):
            make_wheel(shelf[0], "spam", version, tag=AGO_TAG, requires=["ham>=1"])
        for version, ham in {"2.0": "2", "2.1": "3", "3.0": "4", "5.0rc1": "0"}.items():
            make_wheel(shelf[0], "spam", version, requires=[f"ham>={ham}"])
        for version in ("1.0", "2.0", "3.0", "4.0"):
            make_wheel(shelf[0], "ham", version)
        make_sdist(shelf[0], "only-source", "1.0")
        make_wheel(shelf[0], "only-source", "2.0")
        make_sdist(shelf[0], "no-wheel", "1.0")
        found, log = lock(*pip)
        assert versions(found) == expected
        assert [note.partition(" cannot be met")[0] for note in found.notes if " cannot be met" in note] == changed
        for each in changed:
            assert f"{each} becomes " in log.text
        with pytest.raises(EnvironmentBuildException):
            lock(*pip, strict=True)

    def test_a_source_that_a_pin_holds_back_is_not_compiled(self, shelf, lock):
        for version in ("1.0", "2.0"):
            make_wheel(shelf[0], "ham", version)
        make_sdist(shelf[0], "spam", "1.0", requires=["ham==1.0"], backend=BROKEN_BACKEND)
        make_wheel(shelf[0], "spam", "1.0", requires=["ham==1.0"], tag=AGO_TAG)
        make_wheel(shelf[0], "spam", "2.0", requires=["ham==2.0"])
        found, log = lock("spam", "ham==1.0")
        assert versions(found) == {"spam": "2.0", "ham": "2.0"}
        assert "building" not in log.text
        assert "ham==1.0 cannot be met: what is asked for beside it has no version for this Python" in found.notes[0]

    def test_no_version_that_is_not_final_unless_it_is_asked_for_or_there_is_no_other(self, shelf, lock):
        make_wheel(shelf[0], "ham", "1.0")
        make_wheel(shelf[0], "spam", "1.0", requires=["ham>=2"])
        make_wheel(shelf[0], "spam", "2.0rc1", requires=["ham"])
        make_wheel(shelf[0], "eggs", "1.0b1")
        with pytest.raises(EnvironmentBuildException, match="ham>=2"):
            lock("spam", "ham")
        assert versions(lock("spam==2.0rc1", "ham")[0])["spam"] == "2.0rc1"
        assert versions(lock("spam", "ham", pip_options=("--pre",))[0])["spam"] == "2.0rc1"
        assert versions(lock("eggs")[0]) == {"eggs": "1.0b1"}

    def test_a_version_that_never_was_is_an_error_beside_one_that_cannot_be_met(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0", tag=AGO_TAG)
        make_wheel(shelf[0], "spam", "2.0")
        make_wheel(shelf[0], "ham", "1.0")
        make_wheel(shelf[0], "ham", "3.0")
        for never in ("ham==2.0", "ham==9.0"):
            with pytest.raises(EnvironmentBuildException, match=f"no version of {never}"):
                lock("spam==1.0", never)

    def test_what_was_made_for_older_pythons_is_not_compiled(self, shelf, lock):
        make_sdist(shelf[0], "spam", "1.0")
        make_wheel(shelf[0], "spam", "1.0", tag=AGO_TAG)
        make_wheel(shelf[0], "spam", "1.5")
        found, log = lock("spam==1.0")
        assert versions(found) == {"spam": "1.5"}
        assert "spam==1.0 cannot be met: its wheels are for Python 3.7 and older" in found.notes[0]
        assert "building" not in log.text
        assert versions(lock("spam==1.0", strict=True)[0]) == {"spam": "1.0"}

    def test_below_where_nothing_is_above(self, shelf, lock):
        make_wheel(shelf[0], "spam", "0.8")
        make_wheel(shelf[0], "spam", "0.9")
        make_wheel(shelf[0], "spam", "1.0", tag=OLD_TAG)
        assert versions(lock("spam==1.0")[0]) == {"spam": "0.9"}

    def test_extras_and_markers_stay(self, shelf, lock):
        make_wheel(shelf[0], "spam", "1.0", tag=OLD_TAG)
        make_wheel(shelf[0], "spam", "1.1")
        assert "spam" in versions(lock("spam[fast]==1.0; python_version >= '3'")[0])

    def test_a_source_that_builds_is_kept(self, shelf, lock):
        make_sdist(shelf[0], "spam", "1.0")
        make_wheel(shelf[0], "spam", "2.0")
        found, _ = lock("spam==1.0")
        assert (versions(found), found.notes) == ({"spam": "1.0"}, ())

    @pytest.mark.parametrize("how", ["tag", "source"])
    def test_strict_is_an_error(self, shelf, lock, how):
        if how == "tag":
            make_wheel(shelf[0], "spam", "1.0", tag=OLD_TAG)
        else:
            make_sdist(shelf[0], "spam", "1.0", backend=BROKEN_BACKEND)
        make_wheel(shelf[0], "spam", "1.1")
        with pytest.raises(EnvironmentBuildException, match=r"spam==1\.0"):
            lock("spam==1.0", strict=True)

    def test_without_a_pin_a_source_that_does_not_build_is_an_error(self, shelf, lock):
        make_sdist(shelf[0], "spam", "1.0", backend=BROKEN_BACKEND)
        with pytest.raises(EnvironmentBuildException) as error:
            lock("spam")
        assert "Failed to build `spam==1.0`" in error.value.message
        assert error.value.hint


class TestKnownTroubles:
    def test_what_is_from_before_numpy_2_gets_an_older_one(self, shelf, lock):
        for version in ("1.26.4", "2.1.0"):
            make_wheel(shelf[0], "numpy", version)
        for version in ("1.5.3", "2.2.3"):
            make_wheel(shelf[0], "pandas", version, requires=["numpy>=1.20"])
        assert versions(lock("pandas==1.5.3")[0]) == {"pandas": "1.5.3", "numpy": "1.26.4"}
        assert versions(lock("pandas")[0]) == {"pandas": "2.2.3", "numpy": "2.1.0"}
        assert versions(lock("pandas==1.5.3", "numpy==2.1.0")[0])["numpy"] == "2.1.0"  # the person has decided
        make_wheel(shelf[0], "modern", "1.0", requires=["numpy>=2"])
        assert versions(lock("pandas==1.5.3", "modern")[0])["numpy"] == "2.1.0"

    def test_torch_of_one_build_and_torchvision_of_another(self, shelf, lock):
        make_wheel(shelf[0], "torch", "2.0.0+cpu")
        make_wheel(shelf[0], "torch", "2.0.0")
        make_wheel(shelf[0], "torchvision", "0.15.0", requires=["torch==2.0.0"])
        found, _ = lock("torch==2.0.0", "torchvision")
        assert versions(found) == {"torch": "2.0.0", "torchvision": "0.15.0"}
        assert "torchvision" in found.notes[0]
        assert versions(lock("torch==2.0.0")[0]) == {"torch": "2.0.0+cpu"}
        make_wheel(shelf[0], "torchvision", "0.15.0+cpu", requires=["torch==2.0.0"])
        assert versions(lock("torch==2.0.0", "torchvision")[0])["torch"] == "2.0.0+cpu"

    def test_what_is_no_longer_maintained_brings_what_it_needs(self, shelf, lock):
        for name, all_ in {"numpy": ("1.23.5", "1.26.4"), "setuptools": ("69.5.1", "80.0")}.items():
            for version in all_:
                make_wheel(shelf[0], name, version)
        make_wheel(shelf[0], "chainer", "7.8.1", requires=["numpy"])
        found, _ = lock("chainer==7.8.1")
        assert versions(found) == {"chainer": "7.8.1", "numpy": "1.23.5", "setuptools": "69.5.1"}
        assert found.build_constraints == ("setuptools<70",)


class TestRefusals:
    @pytest.mark.parametrize(
        ("pip", "words", "hint"),
        [
            (("spam==9.9",), "no version of spam==9.9", "2.0"),
            (("nowhere-at-all",), "nowhere-at-all was not found", "spelled right"),
            (("cv2",), "cv2 was not found", "opencv-python"),
            (("spam<2", "ham"), "unsatisfiable", "do not go together"),
        ],
    )
    def test_the_solvers_own_words_and_a_hint(self, shelf, lock, pip, words, hint):
        make_wheel(shelf[0], "spam", "1.0")
        make_wheel(shelf[0], "spam", "2.0")
        make_wheel(shelf[0], "ham", "1.0", requires=["spam>=2"])
        with pytest.raises(EnvironmentBuildException) as error:
            lock(*pip)
        assert words in " ".join(error.value.message.split())
        assert hint in error.value.hint

    def test_an_index_that_does_not_answer(self, tmp_path):
        spec = EnvironmentSpec(pip=("spam",), pip_options=("--index-url http://127.0.0.1:9/simple",))
        environ = {
            **os.environ,
            "UV_HTTP_RETRIES": "0",
            "UV_CACHE_DIR": str(tmp_path / "uv"),
            "PIP_CONFIG_FILE": os.devnull,
        }
        with pytest.raises(EnvironmentBuildException) as error:
            UvBuilder(interpreters.own(), environ, str(tmp_path), spec).lock(spec, Log())
        assert "Connection refused" in error.value.message
        assert "cannot be reached" in error.value.hint

    def test_of_many_words_the_log_has_all(self, shelf, lock, tmp_path):
        words = "\n".join(f"word {number}" for number in range(100))
        make_sdist(shelf[0], "spam", "1.0", backend=f"import sys\ndef build_wheel(*_):\n    sys.exit({words!r})\n")
        log = Log()
        spec = EnvironmentSpec(pip=("spam",), strict=True)
        with pytest.raises(EnvironmentBuildException, match="lines that the build log has"):
            UvBuilder(interpreters.own(), shelf[1], str(tmp_path), spec).lock(spec, log)
        assert "word 50\n" in log.text

    def test_no_environment_can_be_made(self, shelf, tmp_path):
        (tmp_path / "file").write_text("")
        uv = Uv(shelf[1], settings(shelf[1]), str(tmp_path))
        with pytest.raises(EnvironmentBuildException) as error:
            make_venv(uv, interpreters.own(), str(tmp_path / "file"))
        assert not error.value.message.startswith("error")
        assert error.value.message.strip() == error.value.message


class TestBuild:
    def test_outlives_the_cache_of_uv(self, lock, shelf, tmp_path):
        make_wheel(shelf[0], "spam", "1.0")
        found, log = lock("spam")
        environ = {**shelf[1], "UV_LINK_MODE": "symlink"}
        prefix = tmp_path / "prefix"
        UvBuilder(interpreters.own(), environ, str(tmp_path), EnvironmentSpec()).build(found, str(prefix), log)
        (module,) = prefix.glob("lib/python*/site-packages/spam.py")
        assert not module.is_symlink()

    def test_that_a_package_is_not_there_is_told(self, lock, shelf, tmp_path):
        make_wheel(shelf[0], "spam", "1.0")
        found, _ = lock("spam")
        with pytest.raises(EnvironmentBuildException, match="uv did not install spam in"):
            check_installed(found.packages, str(tmp_path))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"python": "3.6.2"}, "the lock is of Python 3.6"),
            (
                {"python": f"{interpreters.own().minor}.99", "python_is_exact": True},
                r"the lock is of Python 3\.\d+\.99",
            ),
        ],
    )
    def test_refuses_the_lock_of_another_python(self, lock, shelf, tmp_path, change, words):
        found, log = lock()
        prefix = tmp_path / "prefix"
        with pytest.raises(EnvironmentBuildException, match=words) as error:
            UvBuilder(interpreters.own(), shelf[1], str(tmp_path), EnvironmentSpec()).build(
                replace(found, **change), str(prefix), log
            )
        assert "ask for python=" in error.value.hint
        assert not prefix.exists()

    def test_refuses_the_lock_of_another_platform(self, lock, shelf, tmp_path):
        other = replace(lock()[0], platform="plan9-mips")
        order = Order(request_of(EnvironmentSpec(python="3"), shelf[1]), str(tmp_path), str(tmp_path), lock=other)
        with pytest.raises(EnvironmentBuildException, match="the lock is of plan9-mips"):
            build(order, str(tmp_path / "cache"), shelf[1], Log())

    def test_installs_just_what_is_locked(self, shelf, lock, tmp_path):
        make_wheel(shelf[0], "spam", "1.0", requires=["ham"])
        make_wheel(shelf[0], "ham", "1.0")
        found, log = lock("spam")
        make_wheel(shelf[0], "ham", "2.0")  # too late
        prefix = str(tmp_path / "prefix")
        UvBuilder(interpreters.own(), shelf[1], str(tmp_path), EnvironmentSpec()).build(found, prefix, log)
        program = "import spam, ham, sys; print(spam.__version__, ham.__version__, sys.prefix)"
        told = subprocess.run([f"{prefix}/bin/python", "-c", program], capture_output=True, text=True, check=True)
        assert told.stdout.split() == ["1.0", "1.0", prefix]

    def test_refuses_a_file_that_is_not_what_it_was(self, shelf, lock, tmp_path):
        make_wheel(shelf[0], "spam", "1.0")
        found, log = lock("spam")
        make_wheel(shelf[0], "spam", "1.0", files={"spam.py": "evil = True\n"})
        environ = {**shelf[1], "UV_CACHE_DIR": str(tmp_path / "another")}
        with pytest.raises(EnvironmentBuildException) as error:
            UvBuilder(interpreters.own(), environ, str(tmp_path), EnvironmentSpec()).build(
                found, str(tmp_path / "p"), log
            )
        assert "Hash mismatch" in error.value.message
        assert "Using Python" not in error.value.message
        assert "lock --upgrade" in error.value.hint

    def test_an_empty_environment(self, lock, shelf, tmp_path):
        found, log = lock()
        prefix = str(tmp_path / "prefix")
        UvBuilder(interpreters.own(), shelf[1], str(tmp_path), EnvironmentSpec()).build(found, prefix, log)
        assert os.path.exists(f"{prefix}/bin/python")
