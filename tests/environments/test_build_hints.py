"""What is said about an error of uv: of its own words, as it says them, and of those that cannot be brought about here."""

import os
import subprocess

import pytest
import uv
from hypothesis import given
from hypothesis import strategies as st

from amlnb.environments.build_hints import hint_of

from .package_files import BROKEN_BACKEND, make_index, make_sdist, make_wheel, served

pytestmark = pytest.mark.slow

COMPILE = ("pip", "compile", "--quiet", "--format", "pylock.toml", "-")


def backend(text):
    return f"def build_wheel(*_, **__):\n    {text}\n"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("hints") / "packages")
    make_wheel(folder, "spam", "1.0")
    make_wheel(folder, "spam", "3.0")
    make_wheel(folder, "ham", "1.0", requires=["spam<2"])
    make_wheel(folder, "of-old", "1.0", tag="cp27-none-any")
    make_wheel(folder, "of-tomorrow", "1.0", python_requires=">=3.99")
    make_sdist(folder, "uncompiled", "1.0", backend=BROKEN_BACKEND)
    fatal = 'raise SystemExit("a.c:1:10: fatal error: Python.h: No such file or directory")'
    make_sdist(folder, "headless", "1.0", backend=backend(fatal))
    make_sdist(folder, "modest", "1.0", backend=backend("import no_such_module"))
    make_sdist(folder, "broken", "1.0", backend=backend("raise ValueError('on purpose')"))
    make_index(folder)
    return folder


@pytest.fixture
def said(shelf, tmp_path):
    """What uv says; it has failed."""

    def said_(asked, command=COMPILE, **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        environ = {
            **kept,
            "UV_CACHE_DIR": str(tmp_path / "uv"),
            "UV_HTTP_RETRIES": "0",
            "UV_DEFAULT_INDEX": f"file://{shelf}/simple",
            **variables,
        }
        command = [uv.find_uv_bin(), *command]
        done = subprocess.run(
            command, input=asked, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode
        return done.stderr

    return said_


@pytest.mark.parametrize(
    ("asked", "variables", "hint"),
    [
        ("spam==2.0", {}, "the nearest of spam are 1.0 and 3.0"),
        ("spam>7", {}, "spam>7 was asked for, and there is only spam<=3.0"),
        ("ham\nspam==3.0", {}, "these do not go together: leave one of the versions open"),
        (
            "of-old==1.0",
            {},
            "of-old 1.0 was not made for this Python or machine: take another version, or another python=",
        ),
        ("of-tomorrow", {}, "of-tomorrow 1.0 needs Python >=3.99: take another version, or another python="),
        ("no-such-name", {}, "is no-such-name spelled right?"),
        ("sklearn", {}, "sklearn is the name to import; what is installed is called scikit-learn"),
        ("spam", {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}, "the package index cannot be reached from here"),
        ("spam", {"UV_DEFAULT_INDEX": "https://nowhere.invalid"}, "the package index cannot be reached from here"),
        ("spam", {"UV_DEFAULT_INDEX": "https://nowhere.invalid", "UV_OFFLINE": "1"}, "UV_OFFLINE is set"),
        ("spam", {"UV_FIND_LINKS": "/no/such/folder"}, "there is no folder /no/such/folder: mend find-links"),
        ("x @ git+https://nowhere.invalid/x.git", {}, "the git server cannot be reached from here"),
    ],
)
def test_of_what_was_asked_for(said, asked, variables, hint):
    told = said(asked, **variables)
    found = hint_of(told, lambda name, version: ["1.0", "3.0"] if (name, version) == ("spam", "2.0") else [])
    assert found is not None, told
    assert found.startswith(hint), told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("uncompiled", "building uncompiled==1.0 needs a compiler, gcc: install build-essential"),
        ("headless", "building headless==1.0 needs the header Python.h: install python3-dev (python3-devel)"),
        ("modest", "modest==1.0 cannot be built without no_such_module, which it does not name"),
        ("broken", "broken==1.0 has no wheel for this Python, and its source does not build here"),
        (f"spam==1.0 --hash=sha256:{'0' * 64}", "the index offers another file than the one that was locked"),
    ],
)
def test_of_what_is_installed(said, tmp_path, asked, hint):
    told = said(asked, ("pip", "install", "--target", str(tmp_path / "packages"), "-r", "-"))
    assert hint_of(told).startswith(hint), told


@pytest.mark.parametrize(
    ("scheme", "user", "path", "asked", "hint"),
    [
        ("http", "me", "/simple", "spam", "the package index wants a user and password"),
        ("https", None, "/simple", "spam", "what answers there does not speak https"),
        ("http", None, "/nowhere", "spam", "is spam spelled right?"),
        ("http", None, "/simple", "spam @ {}/x/spam-1.0-py3-none-any.whl", "there is no file http://127.0.0.1:"),
    ],
)
def test_of_what_a_server_says(said, shelf, scheme, user, path, asked, hint):
    with served(shelf, user, "pw") as (address, _):
        told = said(asked.format(f"http://{address}"), UV_DEFAULT_INDEX=f"{scheme}://{address}{path}")
    assert hint_of(told).startswith(hint), told


BUILD = "error: Failed to build `spam==1.0`\n  cause: The build backend returned an error\n\n[stderr]\n{}"


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ("error: failed to write: No space left on device (os error 28)", "the disk is full: free some space"),
        ("cause: invalid peer certificate: UnknownIssuer", "its certificate is signed by somebody unknown here"),
        ("HTTP status client error (403 Forbidden) for url (https://a.invalid)", "the package index wants a user"),
        (BUILD.format("unable to execute 'x86_64-linux-gnu-g++': No such file"), "building spam==1.0 needs a compiler"),
        (
            BUILD.format("error: can't find Rust compiler"),
            "building spam==1.0 needs a compiler, rust: install rustc cargo",
        ),
        (
            BUILD.format("No such file or directory: 'gfortran'"),
            "building spam==1.0 needs a compiler, gfortran: install gfortran",
        ),
        (
            BUILD.format("FileNotFoundError: No such file or directory: 'nvcc'"),
            "building spam==1.0 needs a compiler, nvcc: install the CUDA toolkit",
        ),
        (
            BUILD.format("x.h:1: fatal error: other.h: No such file or directory"),
            "building spam==1.0 needs the header other.h",
        ),
        (
            "error: Git operation failed\nfatal: could not read Username for 'https://a.invalid': terminal prompts disabled",
            "the git server wants a user and password, or a key",
        ),
        ("error: something new", None),
        ("", None),
    ],
)
def test_of_words_that_cannot_be_brought_about_here(told, hint):
    found = hint_of(told)
    assert found is None if hint is None else found.startswith(hint), found


@given(st.text())
def test_any_words_are_taken(text):
    hint_of(text)
