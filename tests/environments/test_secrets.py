"""Credentials of a package index: used in whichever way they are given, and found nowhere but where the person put them."""

import base64
import glob
import os
import subprocess
import tempfile
import threading
import time
from urllib.parse import quote, unquote

import psutil
import pytest

from amlnb.api.run_reading import run_at
from amlnb.api.workspace import Workspace
from amlnb.core import layout
from amlnb.engine import queue
from amlnb.engine.submit import submit
from amlnb.environments import specifications
from amlnb.specs.run_spec import RunSpec

from .package_files import (
    index_channel,
    make_conda_python,
    make_index,
    make_noarch_package,
    make_sdist,
    make_wheel,
    served,
)

# With what must be escaped in an address, in a netrc file and in a shell; and one that needs nothing.
PASSWORDS = ["plain-Pa55word", "t%k/en@ \"q'\\ü#:x"]
TOKEN = "tok3n-in-a-path"
NAME = "guarded-spam"
SCRIPT = "import guarded_spam\nprint('version', guarded_spam.__version__)\n"


def escaped(text):
    return quote(text, safe="")


def forms(password):
    """A password as it may be found: as it is, escaped, in JSON, in a header."""
    plain = {password, escaped(password), quote(password), password.replace("\\", "\\\\").replace('"', '\\"')}
    return {*plain, base64.b64encode(f"me:{password}".encode()).decode()}


class CommandLines:
    """The command lines of all processes of this machine, seen while it is entered."""

    def __init__(self):
        self.seen = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(0.002):
            for path in glob.iglob("/proc/[0-9]*/cmdline"):
                try:
                    with open(path, "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    continue


@pytest.fixture(params=PASSWORDS)
def password(request):
    return request.param


@pytest.fixture
def project(tmp_path, monkeypatch, own_cache):
    """A folder to work in, of a person with no configuration: `served` packages are all that there are."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(folder)
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def shelf(tmp_path):
    """Packages, and a repository of one, to be served."""
    folder = str(tmp_path / "packages")
    make_wheel(folder, NAME, "1.5")
    make_sdist(folder, "ham", "1.0")
    make_index(folder)
    return folder


def repository(shelf):
    """Put a git repository of ``spam`` among the packages, as a server without git's own protocol gives it."""
    source = os.path.join(os.path.dirname(shelf), "repository")
    archive = make_sdist(source, NAME, "1.5")
    subprocess.run(["tar", "xzf", archive, "-C", source, "--strip-components=1"], check=True)
    os.unlink(archive)
    bare = os.path.join(shelf, "spam.git")
    for command in (
        ["git", "init", "-q", "-b", "main", source],
        ["git", "-C", source, "add", "."],
        ["git", "-C", source, "commit", "-qm", "spam"],
        ["git", "clone", "-q", "--bare", source, bare],
        ["git", "-C", bare, "update-server-info"],
    ):
        subprocess.run(command, check=True)


def by_variable(name):
    def give(project, address, pair, monkeypatch):
        if "EXTRA" in name:
            monkeypatch.setenv("PIP_INDEX_URL", empty_index())
        monkeypatch.setenv(name, f"http://{pair}@{address}/simple")
        return f"{NAME},"

    return give


def by_pip_conf(project, address, pair, monkeypatch):
    monkeypatch.delenv("PIP_CONFIG_FILE")
    path = os.path.join(os.environ["HOME"], ".config", "pip", "pip.conf")
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[global]\nindex-url = http://{pair}@{address}/simple\n")
    return f"{NAME},"


def by_netrc(project, address, pair, monkeypatch):
    user, _, password = pair.partition(":")
    plain = unquote(password).replace("\\", "\\\\").replace('"', '\\"')
    with open(os.path.join(os.environ["HOME"], ".netrc"), "w", encoding="utf-8") as file:
        file.write(f'machine 127.0.0.1 login {user} password "{plain}"\n')
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://{address}/simple")
    return f"{NAME},"


def empty_index():
    folder = os.path.join(os.environ["HOME"], "empty")
    os.makedirs(folder, exist_ok=True)
    return f"file://{folder}"


def by_file(name, text):
    def give(project, address, pair, monkeypatch):
        # The person's own folder, which is not part of the run's snapshot.
        folder = os.path.join(os.environ["HOME"], "environments")
        os.makedirs(folder)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.format(pair=pair, address=address))
        return path

    return give


def by_git(project, address, pair, monkeypatch):
    repository(os.path.join(os.path.dirname(project), "packages"))
    return by_file("requirements.txt", "guarded-spam @ git+http://{pair}@{address}/spam.git@main\n")(
        project, address, pair, monkeypatch
    )


def by_conda(project, address, pair, monkeypatch):
    """The pip part of conda's own packages."""
    channel = os.path.join(os.environ["HOME"], "channel")
    make_conda_python(channel)
    make_noarch_package(channel, "eggs", "1.0")
    text = CONDA.replace("[defaults]", f"[{index_channel(channel)}]").replace("  - pip\n", "  - python\n  - eggs\n", 1)
    return by_file("environment.yml", text)(project, address, pair, monkeypatch)


def by_variables_in_a_file(project, address, pair, monkeypatch):
    user, _, password = pair.partition(":")
    monkeypatch.setenv("INDEX_USER", user)
    monkeypatch.setenv("INDEX_PASSWORD", password)
    assert unquote(password)
    return by_file(
        "requirements.txt", "--index-url http://${{INDEX_USER}}:${{INDEX_PASSWORD}}@{address}/simple\nguarded-spam\n"
    )(project, address, pair, monkeypatch)


def by_a_variable_that_holds_all(project, address, pair, monkeypatch):
    monkeypatch.setenv("WHOLE_INDEX", f"http://{pair}@{address}")
    return by_file("requirements.txt", "--index-url ${{WHOLE_INDEX}}/simple\nguarded-spam\n")(
        project, address, pair, monkeypatch
    )


def by_extra_index(project, address, pair, monkeypatch):
    text = f"--index-url {empty_index()}\n" + INDEX.replace("--index-url", "--extra-index-url")
    return by_file("requirements.txt", text)(project, address, pair, monkeypatch)


INDEX = "--index-url http://{pair}@{address}/simple\nguarded-spam\n"
CONDA = "name: x\nchannels: [defaults]\ndependencies:\n  - pip\n  - pip:\n    - --index-url http://{pair}@{address}/simple\n    - guarded-spam\n"
WAYS = {
    "PIP_INDEX_URL": by_variable("PIP_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": by_variable("PIP_EXTRA_INDEX_URL"),
    "UV_INDEX_URL": by_variable("UV_INDEX_URL"),
    "UV_DEFAULT_INDEX": by_variable("UV_DEFAULT_INDEX"),
    "pip.conf": by_pip_conf,
    "netrc": by_netrc,
    "--index-url": by_file("requirements.txt", INDEX),
    "--extra-index-url": by_extra_index,
    "--find-links": by_file(
        "requirements.txt", "--find-links http://{pair}@{address}/simple/guarded-spam/\n--no-index\nguarded-spam\n"
    ),
    "address": by_file(
        "requirements.txt", "guarded-spam @ http://{pair}@{address}/guarded_spam-1.5-py3-none-any.whl\n"
    ),
    "environment.yml": by_file("environment.yml", CONDA),
    "conda": by_conda,
    "git": by_git,
    "variables": by_variables_in_a_file,
    "a variable": by_a_variable_that_holds_all,
}


def sent(project, word):
    """Submit the script to the environment that a word asks for; returns the run, whatever becomes of it."""
    workspace = Workspace.find_or_create(str(project))[0]
    around = specifications.Surroundings(str(project), os.environ)
    spec = specifications.from_word(word, around).spec
    run = run_at(submit(RunSpec("test", str(project), script="train.py", environment=spec), workspace.directory))
    run.wait_for_completion(raise_on_error=False)
    until(lambda: not queue.holds(run.id))
    return run


def until(happened, seconds=60):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def files_below(*folders):
    for folder in folders:
        for top, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(top, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        yield path, file.read()


def found_in(words, project, own_cache, seen):
    """Where one of these words can be read: files of the workspace and of the cache, temporary files, command lines."""
    words = [word.encode() for word in words]
    places = list(files_below(project, own_cache, os.environ["TMPDIR"]))
    assert any(path.endswith(layout.BUILD_LOG) for path, _ in places)
    places += [("a command line", line) for line in seen]
    return [path for path, text in places if any(word in text for word in words)]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_credentials_are_used_and_stand_nowhere(project, shelf, own_cache, monkeypatch, password, way):
    with served(shelf, "me", password) as (address, _), CommandLines() as lines:
        word = WAYS[way](str(project), address, f"me:{escaped(password)}", monkeypatch)
        run = sent(project, word)
        details = run.get_details()
    assert details["status"] == "Completed", details["error"]
    with open(os.path.join(run.directory, layout.USER_LOG), encoding="utf-8") as file:
        assert file.read() == "version 1.5\n"
    assert any(b"amlnb.environments" in line for line in lines.seen)
    assert found_in(forms(password), project, own_cache, lines.seen) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_told_without_it(project, shelf, own_cache, monkeypatch, way):
    password = PASSWORDS[1]
    with served(shelf, "me", "another one") as (address, _), CommandLines() as lines:
        word = WAYS[way](str(project), address, f"me:{escaped(password)}", monkeypatch)
        run = sent(project, word)
    error = run.get_details()["error"]["error"]
    assert error["code"] == "EnvironmentBuildFailed"
    assert "spam" in error["message"]
    assert error["hint"]
    assert found_in(forms(password), project, own_cache, lines.seen) == []
    assert not [word for word in forms(password) if word in str(error)]


@pytest.mark.slow
def test_a_host_that_does_not_answer_is_told_without_the_password(project, own_cache, monkeypatch, password):
    with CommandLines() as lines:
        run = sent(project, by_pip_conf(str(project), "127.0.0.1:9", f"me:{escaped(password)}", monkeypatch))
    error = run.get_details()["error"]["error"]
    assert "cannot be reached" in error["hint"]
    assert not [word for word in forms(password) if word in str(error)]
    assert found_in(forms(password), project, own_cache, lines.seen) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "--index-url http://{address}/${{TOKEN}}/simple\nguarded-spam\n",
        "guarded-spam @ http://{address}/${{TOKEN}}/guarded_spam-1.5-py3-none-any.whl\n",
        "guarded-spam @ http://{address}/${{TOKEN}}/guarded_spam-1.5-py3-none-any.whl?sig=${{TOKEN}}\n",
    ],
)
def test_a_token_in_the_path_of_an_address_is_told_by_its_name(project, shelf, own_cache, monkeypatch, tmp_path, text):
    (tmp_path / "served").mkdir()
    os.rename(shelf, tmp_path / "served" / TOKEN)
    monkeypatch.setenv("TOKEN", TOKEN)
    with served(str(tmp_path / "served")) as (address, _), CommandLines() as lines:
        for _ in range(2):
            run = sent(project, by_file("requirements.txt", text)(str(project), address, "", monkeypatch))
            assert run.get_details()["status"] == "Completed", run.get_details()["error"]
            # Once more, from its lock.
            subprocess.run(
                ["rm", "-r", os.path.join(own_cache, "environments"), tmp_path / "home" / "environments"], check=True
            )
        os.rename(tmp_path / "served" / TOKEN, tmp_path / "served" / "gone")
        subprocess.run(["rm", "-r", tmp_path / "uv"], check=True)
        run = sent(project, by_file("requirements.txt", text)(str(project), address, "", monkeypatch))
    error = run.get_details()["error"]["error"]
    assert TOKEN not in str(error)
    assert found_in([TOKEN], project, own_cache, lines.seen) == []


# A source whose build never ends, and which counts how often it began.
NEVER = """
import time

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open({path!r}, "a") as file:
        file.write("begun\\n")
    time.sleep(600)
"""


@pytest.mark.slow
def test_nothing_secret_stays_of_a_builder_that_is_killed(project, shelf, own_cache, monkeypatch, password, tmp_path):
    make_sdist(shelf, "ham", "2.0", backend=NEVER.format(path=str(tmp_path / "begun")))
    subprocess.run(["rm", "-r", os.path.join(shelf, "simple")], check=True)
    make_index(shelf)
    with served(shelf, "me", password) as (address, _), CommandLines() as lines:
        word = by_file("requirements.txt", "--index-url http://{pair}@{address}/simple\nham\n")(
            str(project), address, f"me:{escaped(password)}", monkeypatch
        )
        workspace = Workspace.find_or_create(str(project))[0]
        spec = specifications.from_word(word, specifications.Surroundings(str(project), os.environ)).spec
        run = run_at(submit(RunSpec("test", str(project), script="train.py", environment=spec), workspace.directory))
        for count in (1, 2):
            until(
                lambda count=count: (
                    (tmp_path / "begun").exists() and (tmp_path / "begun").read_text().count("\n") == count
                )
            )
            for process in psutil.process_iter():
                try:
                    if (
                        "amlnb.environments" in process.cmdline()
                        and process.environ().get("AMLNB_CACHE_DIR") == own_cache
                    ):
                        process.kill()
                except psutil.Error:
                    continue
        run.wait_for_completion(raise_on_error=False)
        until(lambda: not queue.holds(run.id))
    assert found_in(forms(password), project, own_cache, lines.seen) == []
