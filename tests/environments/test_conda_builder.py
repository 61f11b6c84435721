"""Conda packages from real channels: made here, solved, locked and installed, from files and over http with a password."""

import json
import os
import subprocess
import sys

import pytest

from amlnb import host
from amlnb.engine.submit import submit
from amlnb.environments import interpreters, launching
from amlnb.environments.asking import request_of
from amlnb.environments.conda_builder import CondaBuilder
from amlnb.errors import EnvironmentBuildException, FormatError
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.specs.run_spec import RunSpec
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.backend_contract import ended, log_of
from amlnb.testing.builder_contract import KeptLog as Log

from .package_files import (
    index_channel,
    make_conda_package,
    make_conda_python,
    make_index,
    make_noarch_package,
    make_sdist,
    make_wheel,
    served,
)

pytestmark = pytest.mark.slow

OWN = interpreters.own()
PASSWORD = "pa@ss:word"
TOKEN = "tk-0123456789abcdef"


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    """A channel's folder: Python, pure and other packages, one whose files hold the prefix, and two that conflict."""
    folder = str(tmp_path_factory.mktemp("channels") / "tools")
    make_conda_python(folder)
    for version in ("1.0", "1.5", "2.0"):
        make_conda_package(folder, "base-lib", version, files={"share/base.txt": version})
    make_conda_package(folder, "needs-old", "1.0", depends=["base-lib <2"])
    make_conda_package(
        folder,
        "relocated",
        "3.1",
        files={"bin/where": "#!/bin/sh\necho {prefix}\n", "share/where.txt": "{prefix}/share"},
        prefix_files=["bin/where", "share/where.txt"],
        extension=".tar.bz2",
    )
    make_noarch_package(folder, "hello-tool", "1.2", depends=["python >=3.7", "base-lib"])
    make_noarch_package(folder, "hello-dep", "0.9", extension=".tar.bz2")
    index_channel(folder)
    return folder


@pytest.fixture
def pip_folder(tmp_path):
    folder = str(tmp_path / "wheels")
    make_wheel(folder, "hello-dep", "0.9")
    make_wheel(folder, "hello-dep", "2.0")
    make_wheel(folder, "uses-dep", "1.0", requires=["hello-dep"])
    make_wheel(folder, "uses-new-dep", "1.0", requires=["hello-dep>=1"])
    make_sdist(folder, "from-source", "1.0")
    return make_index(folder)


@pytest.fixture
def builder(own_cache, tmp_path):
    def make(**options):
        environ = {**os.environ, **options.pop("environ", {})}
        credentials = options.pop("credentials", {})
        return CondaBuilder(OWN, environ, str(tmp_path), credentials, host.cache_dir(), **options)

    return make


def conda(*packages, channels, **options):
    return EnvironmentSpec(conda=packages, channels=channels, use_conda=True, **options)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def everything_below(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    yield path, file.read()


def test_packages_are_solved_locked_and_installed(builder, channel, tmp_path):
    log, prefix = Log(), str(tmp_path / "environment")
    lock = builder().lock(conda("hello-tool", "relocated", channels=(channel,)), log)
    assert lock.versions() == {"base-lib": "2.0", "hello-tool": "1.2", "python": OWN.version, "relocated": "3.1"}
    assert {each.by for each in lock.packages} == {"conda"}
    assert all(each.hashes[0].startswith("sha256:") for each in lock.packages)
    assert {each.source for each in lock.packages if each.name == "relocated"} == {
        f"file://{channel}/linux-64/relocated-3.1-0.tar.bz2"
    }
    assert (lock.builder, lock.minor, lock.notes) == ("conda", OWN.minor, ())
    assert not os.path.exists(prefix)

    builder().build(lock, prefix, log)
    assert run(f"{prefix}/bin/hello-tool") == "hello-tool 1.2"
    assert run(f"{prefix}/bin/where") == prefix
    assert (tmp_path / "environment/share/where.txt").read_text() == f"{prefix}/share"
    assert run(f"{prefix}/bin/python", "-c", "import sys, hello_tool; print(sys.prefix)") == prefix
    assert log.progressed == [(number, 4) for number in range(1, 5)]


def test_what_is_installed_is_recorded_as_conda_records_it(builder, channel, tmp_path):
    prefix = str(tmp_path / "environment")
    builder().build(builder().lock(conda("hello-tool", channels=(channel,)), Log()), prefix, Log())
    with open(f"{prefix}/conda-meta/hello-tool-1.2-0.json", encoding="utf-8") as file:
        record = json.load(file)
    assert (record["depends"], record["noarch"]) == (["python >=3.7", "base-lib"], "python")


def test_nothing_is_solved_anew_when_a_lock_is_built(builder, channel, tmp_path):
    lock = builder().lock(conda("needs-old", channels=(channel,)), Log())
    assert lock.versions()["base-lib"] == "1.5"
    for number in (1, 2):
        prefix = str(tmp_path / str(number))
        builder().build(lock, prefix, Log())
        assert (tmp_path / str(number) / "share/base.txt").read_text() == "1.5"


@pytest.mark.parametrize(
    ("packages", "words", "hint"),
    [
        (["helo-tool"], "No candidates were found for helo-tool", "is it hello-tool"),
        (
            ["base-lib=1.7"],
            "No candidates were found for base-lib 1.7.*",
            "the nearest of base-lib in {} are 1.5 and 2.0",
        ),
        (["base-lib>=3"], "No candidates were found for base-lib >=3", "the nearest of base-lib in {} is 2.0"),
        (["base-lib=2", "needs-old"], "base-lib <2", "do not go together"),
        (["base-lib >"], "'base-lib >' is no conda package specification", "write for example numpy=1.26"),
        (["nowhere::base-lib"], "nowhere", ""),
    ],
)
def test_what_cannot_be_solved_is_told_in_the_solvers_words_with_a_hint(builder, channel, packages, words, hint):
    with pytest.raises(EnvironmentBuildException) as told:
        builder(environ={"CONDA_CHANNEL_ALIAS": os.path.dirname(channel)}).lock(
            conda(*packages, channels=(channel,)), Log()
        )
    assert words in told.value.message
    assert hint.format(f"file://{channel}") in told.value.hint


def test_a_package_of_a_named_channel_comes_from_there(builder, channel, tmp_path):
    other = str(tmp_path / "other")
    make_conda_package(other, "base-lib", "0.1")
    index_channel(other)
    for channels in ((channel, other), (channel,)):
        lock = builder().lock(conda(f"{other}::base-lib", channels=channels), Log())
        assert lock.versions()["base-lib"] == "0.1"


def test_the_first_channel_that_has_a_package_gives_it_unless_that_cannot_be(builder, channel, tmp_path):
    newer = str(tmp_path / "newer")
    make_conda_package(newer, "base-lib", "9.0")
    make_conda_package(newer, "needs-new", "1.0", depends=["base-lib >=9"])
    index_channel(newer)
    channels = (channel, newer)
    assert builder().lock(conda("base-lib", channels=channels), Log()).versions()["base-lib"] == "2.0"
    assert builder().lock(conda("needs-new", channels=channels), Log()).versions()["base-lib"] == "9.0"
    with pytest.raises(EnvironmentBuildException, match="strict channel priority"):
        builder(environ={"CONDA_CHANNEL_PRIORITY": "strict"}).lock(conda("needs-new", channels=channels), Log())


def test_what_packages_set_when_they_are_activated_is_noted_for_runs(builder, channel, tmp_path):
    own = str(tmp_path / "own")
    script = 'echo warming up >&2\nexport DATA_ROOT="$CONDA_PREFIX/share/data"\nexport PATH="/extra:$PATH"\nLOCAL=x\n'
    files = {"etc/conda/activate.d/data.sh": script, "etc/conda/env_vars.d/data.json": '{"FROM_FILE": "1"}'}
    make_conda_package(own, "with-data", "1.0", files=files)
    index_channel(own)
    log, prefix = Log(), tmp_path / "environment"
    builder().build(builder().lock(conda("with-data", channels=(own, channel)), log), str(prefix), log)
    lock = builder().lock(conda("with-data", channels=(own, channel)), log)
    told = launching.told(str(prefix), lock)
    assert told["variables"] == {"DATA_ROOT": f"{prefix}/share/data", "FROM_FILE": "1"}
    (prefix / launching.VARIABLES_FILE).write_text("{")
    with pytest.raises(FormatError, match="damaged"):
        launching.told(str(prefix), lock)
    assert "warming up" in log.told
    builder().build(builder().lock(conda("base-lib", channels=(channel,)), log), str(tmp_path / "plain"), log)
    assert "variables" not in launching.told(str(tmp_path / "plain"), lock)


@pytest.mark.parametrize("text", ["exit 3", "sleep 5 &\nexport A=1", "syntax error (", "set -eu; false; export A=1"])
def test_an_activation_script_that_fails_fails_no_build(builder, channel, tmp_path, text):
    own = str(tmp_path / "own")
    make_conda_package(own, "odd", "1.0", files={"etc/conda/activate.d/odd.sh": text})
    index_channel(own)
    builder().build(builder().lock(conda("odd", channels=(own, channel)), Log()), str(tmp_path / "environment"), Log())


# -- Python ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pythons(tmp_path):
    folder = str(tmp_path / "pythons")
    for version in ("3.6.2", "3.8.5", "3.9.1"):
        make_conda_python(folder, version=version)
    make_conda_python(folder)
    make_conda_package(folder, "only-39", "1.0", depends=["python 3.9.*"])
    make_conda_package(folder, "only-38", "1.0", depends=["python 3.8.*"])
    make_conda_package(folder, "only-36", "1.0", depends=["python 3.6.*"])
    index_channel(folder)
    return folder


@pytest.mark.parametrize(
    ("python", "soft", "strict", "packages", "got", "told"),
    [
        (None, False, False, [], OWN.version, None),
        (None, False, False, ["only-39"], "3.9.1", f"the packages cannot be had for {OWN.minor}"),
        ("3.9", False, False, [], "3.9.1", None),
        ("3.8.5", False, False, [], "3.8.5", None),
        ("<3.9", False, False, [], "3.8.5", None),
        ("3.9", True, False, [], OWN.version, "python=3.9 was asked for"),
        ("3.9", True, True, [], "3.9.1", None),
        ("3.9", True, False, ["only-39"], "3.9.1", None),
        ("3.6.2", True, False, [], OWN.version, "the workspace's own"),
        ("3.9", True, False, ["only-38"], "3.8.5", "python=3.9 was asked for, and Python 3.8.5 is taken"),
    ],
)
def test_which_python_is_taken(builder, pythons, python, soft, strict, packages, got, told):
    spec = conda(*packages, channels=(pythons,), python=python, python_is_soft=soft, strict=strict)
    log = Log()
    lock = builder().lock(spec, log)
    assert lock.python == lock.versions()["python"] == got
    assert list(lock.notes) == log.notes
    assert [told in note for note in lock.notes] == ([True] if told else [])


@pytest.mark.parametrize(
    "options",
    [{"python": "3.6"}, {"python": "3.6.2", "python_is_soft": True, "strict": True}, {"packages": ["only-36"]}],
)
def test_a_python_that_is_too_old_for_a_run_is_refused(builder, pythons, options):
    options = dict(options)
    with pytest.raises(EnvironmentBuildException) as told:
        builder().lock(conda(*options.pop("packages", ()), channels=(pythons,), **options), Log())
    assert "3.7" in str(told.value)


def test_a_run_has_the_python_of_the_channel_and_what_its_packages_set(tmp_path):
    other = f"{os.environ.get('PYENV_ROOT')}/versions/3.9.18/bin/python"
    if not os.path.exists(other):
        pytest.skip("there is no Python 3.9 to make a package of")
    own = str(tmp_path / "own")
    make_conda_python(own, other, "3.9.18")
    make_conda_package(own, "with-data", "1.0", files={"etc/conda/activate.d/data.sh": "export DATA_ROOT=/data"})
    make_noarch_package(own, "hello-tool", "1.2")
    index_channel(own)
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(
        "import os, subprocess, sys\n"
        "print(sys.version_info[:2], os.environ['DATA_ROOT'], sys.prefix == os.environ['CONDA_PREFIX'])\n"
        "print(subprocess.check_output(['hello-tool'], text=True))\n"
    )
    workspace = open_directory(str(tmp_path / "workspace" / ".amlnb"), local_ids("conda"))
    environment = conda("with-data", "hello-tool", channels=(own,), python="3.9.18")
    reader = ended(
        RunReader(submit(RunSpec("conda", str(source), script="train.py", environment=environment), workspace))
    )
    assert (reader.facts().state, reader.facts().error) == ("Completed", None)
    assert log_of(reader).splitlines()[:2] == ["(3, 9) /data True", "hello-tool 1.2"]


# -- the pip part ------------------------------------------------------------------------------------------------------


def pip_options(index):
    return (f"--index-url file://{index}",)


def test_the_pip_part_is_resolved_beside_the_conda_packages_and_installed_over_them(
    builder, channel, pip_folder, tmp_path
):
    options = pip_options(pip_folder)
    spec = conda("hello-dep", channels=(channel,), pip=("uses-dep", "from-source"), pip_options=options)
    make = builder(pip_options=options)
    lock = make.lock(spec, Log())
    assert {(each.name, each.version, each.by) for each in lock.packages} == {
        ("from-source", "1.0", "uv"),
        ("hello-dep", "0.9", "conda"),
        ("python", OWN.version, "conda"),
        ("uses-dep", "1.0", "uv"),
    }
    assert all(each.hashes for each in lock.packages)
    prefix = str(tmp_path / "environment")
    make.build(lock, prefix, Log())
    code = "import uses_dep, hello_dep, from_source; print(hello_dep.__version__, hello_dep.__file__.startswith({!r}))"
    assert run(f"{prefix}/bin/python", "-c", code.format(prefix)) == "0.9 True"
    assert run(f"{prefix}/bin/hello-dep") == "hello-dep 0.9"


def test_a_pip_part_that_cannot_do_with_condas_version_replaces_it_and_says_so(builder, channel, pip_folder, tmp_path):
    options = pip_options(pip_folder)
    spec = conda("hello-dep", channels=(channel,), pip=("uses-new-dep",), pip_options=options)
    make = builder(pip_options=options)
    lock = make.lock(spec, Log())
    assert any("pip's hello-dep 2.0 replaces conda's 0.9" in note for note in lock.notes)
    prefix = str(tmp_path / "environment")
    make.build(lock, prefix, Log())
    assert run(f"{prefix}/bin/python", "-c", "import hello_dep; print(hello_dep.__version__)") == "2.0"
    strict = conda("hello-dep", channels=(channel,), pip=("uses-new-dep",), pip_options=options, strict=True)
    with pytest.raises(EnvironmentBuildException, match="hello-dep"):
        make.lock(strict, Log())


# -- channels that want to know who asks -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["specification", "condarc", "netrc"])
def test_a_channel_with_a_password_gives_packages_and_the_password_is_nowhere(
    builder, channel, tmp_path, monkeypatch, own_cache, way
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    credentials, named = {}, "tools"
    with served(os.path.dirname(channel), "me", PASSWORD) as (address, asked):
        quoted = PASSWORD.replace("@", "%40").replace(":", "%3A")
        environ = {"HOME": str(home), "CONDA_CHANNEL_ALIAS": f"http://{address}"}
        if way == "specification":
            credentials = {address: f"me:{quoted}"}
        elif way == "condarc":
            (home / ".condarc").write_text(f"channel_alias: http://me:${{SECRET}}@{address}\n")
            environ = {"HOME": str(home), "SECRET": quoted}
        else:
            (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
        make = builder(environ=environ, credentials=credentials, channels=(named,))
        log, prefix = Log(), str(tmp_path / "environment")
        lock = make.lock(conda("hello-tool", channels=(named,)), log)
        make.build(lock, prefix, log)
    assert "/tools/noarch/hello-tool-1.2-0.conda" in asked
    assert run(f"{prefix}/bin/hello-tool") == "hello-tool 1.2"
    assert {each.source.split("/")[2] for each in lock.packages} == {address}
    told = json.dumps(lock.to_dict()) + log.text
    for secret in (PASSWORD, quoted):
        assert secret not in told
        for folder in (prefix, own_cache):
            assert [path for path, content in everything_below(folder) if secret.encode() in content] == []


@pytest.mark.parametrize("way", ["specification", "variable", "condarc"])
def test_a_token_in_a_channels_address_is_used_and_not_written_down(builder, channel, tmp_path, own_cache, way):
    root = tmp_path / "root"
    (root / "t").mkdir(parents=True)
    (root / "t" / TOKEN).symlink_to(os.path.dirname(channel))
    home = tmp_path / "home"
    home.mkdir()
    with served(str(root)) as (address, asked):
        environ, credentials, named = {"HOME": str(home), "CHANNEL_TOKEN": TOKEN}, {}, "tools"
        if way == "specification":
            credentials, named = {address: TOKEN}, f"http://{address}/tools"
        elif way == "variable":
            named = f"http://{address}/t/${{CHANNEL_TOKEN}}/tools"
        else:
            (home / ".condarc").write_text(f"custom_channels:\n  tools: http://{address}/t/{TOKEN}\n")
        make = builder(environ=environ, credentials=credentials, channels=(named,))
        log, prefix = Log(), str(tmp_path / "environment")
        lock = make.lock(conda("hello-tool", channels=(named,)), log)
        make.build(lock, prefix, log)
    assert all(path.startswith(f"/t/{TOKEN}/tools/") for path in asked)
    assert {each.source.rsplit("/", 2)[0] for each in lock.packages} == {f"http://{address}/tools"}
    assert TOKEN not in json.dumps(lock.to_dict()) + log.text
    for folder in (prefix, own_cache):
        assert [path for path, content in everything_below(folder) if TOKEN.encode() in content] == []


def test_a_channel_that_refuses_is_told_without_what_it_was_offered(builder, channel):
    with served(os.path.dirname(channel), "me", PASSWORD) as (address, _):
        make = builder(credentials={address: "me:wrong-password"})
        with pytest.raises(EnvironmentBuildException) as told:
            make.lock(conda("hello-tool", channels=(f"http://{address}/tools",)), Log())
    assert "401 Unauthorized" in told.value.message
    assert "user and password" in told.value.hint
    assert "wrong-password" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "words", "hint"),
    [
        # It is tried some times.
        pytest.param("http://127.0.0.1:9/gone", "Connection refused", "cannot be reached", marks=pytest.mark.slow),
        pytest.param("http://no-such-host.invalid/gone", "dns error", "cannot be reached", marks=pytest.mark.slow),
        ("ftp://host.invalid/channel", "not a supported scheme", "https:// or file://"),
        ("http://[bad/channel", "cannot be understood", "is it spelled right"),
        ("file:///no/such/folder", "could not find subdir", "is it spelled right"),
    ],
)
def test_a_channel_that_does_not_answer_is_told_with_what_to_do(builder, address, words, hint):
    with pytest.raises(EnvironmentBuildException) as told:
        builder().lock(conda("hello-tool", channels=(address,)), Log())
    assert words in told.value.message
    assert hint in told.value.hint


# -- damage ------------------------------------------------------------------------------------------------------------


def test_a_package_that_is_not_what_was_locked_is_refused(builder, channel, tmp_path):
    own = str(tmp_path / "own")
    make_conda_python(own)
    path = make_conda_package(own, "changing", "1.0", files={"share/a": "a"})
    index_channel(own)
    lock = builder().lock(conda("changing", channels=(own,)), Log())
    os.unlink(path)
    make_conda_package(own, "changing", "1.0", files={"share/a": "b"})
    with pytest.raises(EnvironmentBuildException) as told:
        builder().build(lock, str(tmp_path / "environment"), Log())
    assert "hash" in told.value.message.lower()
    assert "lock --upgrade" in told.value.hint


def test_a_package_that_is_gone_is_named(builder, tmp_path):
    own = str(tmp_path / "own")
    make_conda_python(own)
    path = make_conda_package(own, "going", "1.0")
    index_channel(own)
    lock = builder().lock(conda("going", channels=(own,)), Log())
    os.unlink(path)
    with pytest.raises(EnvironmentBuildException) as told:
        builder().build(lock, str(tmp_path / "environment"), Log())
    assert "going-1.0-0" in told.value.message


def test_without_py_rattler_the_line_that_installs_it_is_told(builder, channel, monkeypatch):
    monkeypatch.setitem(sys.modules, "rattler", None)
    with pytest.raises(EnvironmentBuildException) as told:
        builder().lock(conda("hello-tool", channels=(channel,)), Log())
    assert 'pip install "amlnb[conda]"' in told.value.hint
    with pytest.raises(EnvironmentBuildException) as told:  # before anything is submitted
        request_of(EnvironmentSpec(conda=("ffmpeg",)), {})
    assert told.value.message.startswith("ffmpeg cannot be had from PyPI")
    assert 'pip install "amlnb[conda]"' in told.value.hint
