"""``amlnb env`` and ``amlnb submit --env``."""

import json
import os
import sys

import pytest

from amlnb import CondaDependencies, Environment, Workspace
from amlnb.cli.app import main
from tests.environments.package_files import make_sdist, make_wheel

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a workspace and two wheels, which a requirements file finds; no other package can be had."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Workspace.find_or_create(str(folder))
    make_wheel("wheels", "tiny-thing", "1.5")
    make_wheel("wheels", "other", "2.0", requires=("tiny-thing",))
    (folder / "req.txt").write_text("--no-index\n--find-links wheels\nother\n")
    return folder


@pytest.fixture
def amlnb(project, capsys):
    """Run a command line in this process; returns what it printed, as JSON where that was asked for."""

    def amlnb_(*arguments, code=0):
        assert main(arguments) == code
        told = capsys.readouterr()
        if "--json" in arguments:
            return json.loads(told.err if code else told.out)
        return told.err if code else told.out

    return amlnb_


def register(name, *packages):
    made = Environment(name)
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages))
    return made.register(Workspace.from_config())


def test_nothing_is_built_yet(amlnb, own_cache):
    assert amlnb("env", "list") == "no environment is built on this host\n"
    assert amlnb("env", "list", "--json") == {"environments": [], "registered": [], "unreadable": []}
    assert amlnb("env", "gc", "--json") == {"removed": [], "bytes": 0, "in_use": []}


def test_registered_environments_are_listed(amlnb, own_cache):
    register("training", "a")
    path = register("training", "b") and os.path.join(".amlnb", "environments", "registered")
    assert "training        2" in amlnb("env", "list")
    (folder,) = os.listdir(path)
    with open(os.path.join(path, folder, "2.json"), "w") as file:
        file.write("{")
    told = amlnb("env", "list", "--json")
    assert [(one["name"], one["version"]) for one in told["registered"]] == [("training", "1")]
    assert "2.json" in told["unreadable"][0]


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ("req.txt", {"origin": "req.txt", "pip": ["other"]}),
        ("numpy<2,pandas", {"pip": ["numpy<2", "pandas"]}),
        ("training", {"name": "training", "version": "2", "pip": ["b"]}),
        ("training:1", {"name": "training", "version": "1", "pip": ["a"]}),
        ("azureml-sklearn-1.5", {"name": "AzureML-sklearn-1.5"}),
        ("docker:python:3.12", {"image": "python:3.12"}),
    ],
)
def test_what_is_asked_for_is_shown(amlnb, word, fields):
    register("training", "a")
    register("training", "b")
    told = amlnb("env", "show", word, "--json")
    assert {name: told["specification"].get(name) for name in fields} == fields
    assert (told["key"], told["prefix"], told["packages"]) == (None, None, None)
    assert "not locked yet" in amlnb("env", "show", word)


def test_a_python_is_used_as_it_is(amlnb, project):
    (project / "venv" / "bin").mkdir(parents=True)
    python = project / "venv" / "bin" / "python"
    python.symlink_to(os.path.realpath(sys.executable))
    for command in ("show", "build"):
        assert amlnb("env", command, "venv", "--json")["interpreter"] == str(python)
    assert "nothing to lock" in amlnb("env", "lock", "venv", code=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["env", "show", "reqs.txt"], "did you mean 'req.txt'?"),
        (["env", "show", "trainin"], "did you mean 'training'?"),
        (["env", "show", "inline"], "begin it with"),
        (["env", "build", ""], "has no value"),
        (["env", "remove", "zz"], "there is no built environment 'zz'"),
        (["env", "show", "x.lock.json"], "'x.lock.json' is no lock"),
        (["env", "show", "damaged.json"], "'damaged.json' is no lock"),
        (["submit", "--env", "AzureML-sklern-1.5", "train.py"], "did you mean AzureML-sklearn-1.5"),
        (["submit", "--env", "a", "--env", "b", "train.py"], "--env is given twice, 'a' and 'b'"),
        (["submit", "--env", "inline", "train.py"], "train.py has no metadata"),
        (["submit", "--env", "nope.yml", "train.py"], "there is no environment file 'nope.yml'"),
    ],
)
def test_wrong_words_are_told(amlnb, project, arguments, told):
    register("training", "a")
    (project / "train.py").write_text("pass")
    (project / "x.lock.json").write_text('{"format": 1}')
    (project / "damaged.json").write_text("{")
    assert told in amlnb(*arguments, code=1)


def test_without_a_workspace_a_specification_cannot_be_shown(amlnb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no workspace was found" in amlnb("env", "show", "numpy==2", code=1)


def test_a_lock_of_another_platform_or_a_damaged_one_is_refused(amlnb, project):
    lock = {"format": 1, "builder": "uv", "tool": "uv", "python": "3.11.7", "platform": "plan9-mips", "packages": [], "build_constraints": [], "notes": []}
    (project / "a.json").write_text(json.dumps({"format": 1, "request": {"pip": ["a"]}, "lock": lock}))
    assert "is for plan9-mips, and this machine is" in amlnb("env", "show", "a.json", code=1)
    (project / "b.json").write_text(json.dumps({"format": 1, "request": {"pip": ["a"]}, "lock": {"format": 1}}))
    assert "the lock 'b.json' cannot be read: the lock of an environment is damaged" in amlnb("env", "show", "b.json", code=1)


def test_an_environment_is_built_shown_locked_and_removed(amlnb, project, own_cache):
    locked = amlnb("env", "lock", "req.txt", "-o", "req.lock.json", "--json")
    assert locked["changes"] == {"other": [None, "2.0"], "tiny-thing": [None, "1.5"]}
    assert amlnb("env", "list", "--json")["environments"] == []
    built = amlnb("env", "build", "req.txt", "--json")
    assert built["packages"] == {"other": "2.0", "tiny-thing": "1.5"}
    assert built["interpreter"] == os.path.join(built["prefix"], "bin", "python")
    (one,) = amlnb("env", "list", "--json")["environments"]
    assert (one["key"], one["names"], one["in_use"]) == (built["key"], ["req.txt"], False)
    assert one["bytes"] >= one["own_bytes"] > 0
    for word in ("req.txt", built["key"][:8]):
        assert "tiny-thing  1.5" in amlnb("env", "show", word)
    assert amlnb("env", "show", built["key"], "--json")["lock"]["builder"] == "uv"

    make_wheel("wheels", "tiny-thing", "1.6")
    assert "nothing changed: 2 packages" in amlnb("env", "lock", "req.txt")
    assert amlnb("env", "lock", "req.txt", "--upgrade") == "tiny-thing  1.5 -> 1.6\n"
    # The file still has the first lock, and goes before what the workspace has by now.
    again = amlnb("env", "build", "req.lock.json", "--json")
    assert again["key"] == built["key"]
    assert amlnb("env", "build", "req.txt", "--json")["key"] == built["key"]
    amlnb("env", "lock", "req.txt", "--upgrade")
    assert "tiny-thing  1.5" in amlnb("env", "show", "req.lock.json")
    assert "tiny-thing  1.6" in amlnb("env", "show", "req.txt"), "showing a lock took it over"
    amlnb("env", "build", "req.lock.json")

    assert amlnb("env", "remove", built["key"][:8], "--json")["bytes"] > 0
    assert amlnb("env", "list", "--json")["environments"] == []
    amlnb("env", "build", "req.txt")
    assert amlnb("env", "gc", "--days", "0", "--json")["removed"] == [built["key"]]


def test_a_script_runs_in_the_environment_that_is_named(amlnb, project):
    (project / "train.py").write_text(
        '# /// script\n# dependencies = ["tiny-thing"]\n# [tool.uv]\n# no-index = true\n# find-links = ["wheels"]\n# ///\n'
        "import tiny_thing; print('it is', tiny_thing.__version__)\n"
    )
    for word in ("req.txt", "inline"):
        assert "it is 1.5" in amlnb("submit", "--env", word, "--wait", "train.py")
    (project / "pyproject.toml").write_text('[tool.amlnb.env]\nfile = "req.txt"\n')
    assert "it is 1.5" in amlnb("submit", "--wait", "train.py")


def test_what_a_file_asks_for_is_shown_in_its_own_words(amlnb, project):
    (project / "environment.yml").write_text(
        "channels: [defaults, pytorch]\ndependencies: [python=3.6.2, pytorch]\nvariables: {A: b}\n"
    )
    assert amlnb("env", "show", "environment.yml").splitlines()[:6] == [
        "from: environment.yml",
        "Python: 3.6.2 (or else the workspace's own)",
        "packages:",
        "  torch",
        "variables:",
        "  A=b",
    ]


def test_metadata_that_nothing_asks_for_is_told(amlnb, project, capsys):
    (project / "train.py").write_text('# /// script\n# dependencies = ["tiny-thing"]\n# ///\n')
    told = amlnb("submit", "--json", "train.py")
    assert told["warnings"] == [
        "train.py says which packages it needs (# /// script): '--env inline' gives it those",
    ]
    assert amlnb("submit", "--json", "--env", "req.txt", "train.py")["warnings"] == []


def test_the_environment_is_named(amlnb, project, capsys):
    (project / "train.py").write_text("")
    for words, name in ((("--env", "req.txt"), "req.txt"), (("--env", "other,tiny-thing"), "other,tiny-thing")):
        assert main(["submit", *words, "train.py"]) == 0
        assert f"submitted to local with the environment {name}; 'amlnb run logs" in capsys.readouterr().err
    assert main(["submit", "train.py"]) == 0
    assert "submitted to local; 'amlnb run logs" in capsys.readouterr().err


def test_of_a_build_the_steps_are_shown_and_the_rest_is_named(amlnb, project):
    backend = "print('compiling\\n' * 2000)\nraise SystemExit('no such header')\ndef build_wheel(*_): pass\n"
    make_sdist("wheels", "spam", "1.0", backend=backend)
    (project / "req.txt").write_text("--no-index\n--find-links wheels\nspam\n")
    (project / "train.py").write_text("")
    told = amlnb("submit", "--env", "req.txt", "--wait", "train.py", code=1)
    assert len(told.splitlines()) < 80, told
    assert "no such header" in told
    assert told.count("azureml-logs/20_image_build_log.txt: 'amlnb run logs --build") == 1
    [run] = amlnb("run", "list", "--json")["runs"]
    assert "compiling" in amlnb("run", "logs", "--build", run["id"])


def test_a_changed_version_is_told_again_when_the_run_has_ended(amlnb, project, capsys):
    make_wheel("wheels", "tiny-thing", "1.4", tag="cp34-cp34m-any")
    (project / "environment.yml").write_text(
        "dependencies:\n- pip:\n  - --no-index\n  - --find-links wheels\n  - tiny-thing==1.4\n  - other\n"
    )
    (project / "train.py").write_text("pass")
    assert main(["submit", "--env", "environment.yml", "--wait", "train.py"]) == 0
    ended = capsys.readouterr().err.rpartition("Completed")[2]
    assert "warning: tiny-thing==1.4 cannot be met" in ended.splitlines()[1]


def test_without_a_word_the_projects_environment_is_meant(amlnb, project):
    assert "no environment is named" in amlnb("env", "show", code=1)
    assert "no environment is named" in amlnb("env", "lock", code=1)
    (project / "pyproject.toml").write_text('[tool.amlnb.env]\nfile = "req.txt"\n')
    assert amlnb("env", "show", "--json")["specification"]["pip"] == ["other"]
    assert amlnb("env", "lock", "--json")["lock"]["packages"]


def test_an_environment_of_words_is_listed_by_them(amlnb, project, monkeypatch, own_cache):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project / "wheels"))
    monkeypatch.setenv("COLUMNS", "60")
    amlnb("env", "build", "other<3")
    assert "other<3" in amlnb("env", "list")
