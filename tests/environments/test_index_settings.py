"""Where packages come from: pip's and uv's configuration, and the options of a specification, as uv is told."""

import itertools
import os
import subprocess
import textwrap

import pytest
import uv
from hypothesis import given
from hypothesis import strategies as st

from amlnb.environments.index_settings import pip_configuration, settings
from amlnb.errors import UserErrorException

BEST = {"UV_INDEX_STRATEGY": "unsafe-best-match"}


@pytest.fixture
def home(tmp_path):
    """A home whose pip configuration is nobody's; returns a function that writes a file there and gives its path."""

    def write(place, text):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


@pytest.fixture
def environ(tmp_path):
    """Variables of a person with no configuration."""
    return {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def files(tmp_path):
    """Variables of a person whose files are read; this machine's own (/etc/pip.conf) come before them."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "etc")}


def told(environ, *options, **variables):
    return dict(settings({**environ, **variables}, options).environ)


class TestPipsConfiguration:
    def test_each_file_goes_over_those_before(self, home, files):
        places = ["etc/pip/pip.conf", ".pip/pip.conf", ".config/pip/pip.conf"]
        for number, place in enumerate(places):
            home(place, f"[global]\nindex-url = https://{number}.invalid/simple\n")
            assert pip_configuration(files)["index-url"] == [f"https://{number}.invalid/simple"]

    def test_a_home_for_configurations_of_its_own(self, home, files, tmp_path):
        home("elsewhere/pip/pip.conf", "[global]\nindex_url = https://x.invalid\n")
        assert pip_configuration({**files, "XDG_CONFIG_HOME": str(tmp_path / "elsewhere")})["index-url"] == [
            "https://x.invalid"
        ]

    def test_a_named_file_stands_in_for_the_persons_own(self, home, files):
        home("etc/pip/pip.conf", "[global]\ntimeout = 7\n")
        home(".config/pip/pip.conf", "[global]\nindex-url = https://home.invalid\nno-index = true\n")
        named = home("named.conf", "[install]\nextra-index-url = https://named.invalid\n")
        found = pip_configuration({**files, "PIP_CONFIG_FILE": named})
        assert (found["timeout"], found["extra-index-url"]) == (["7"], ["https://named.invalid"])
        assert "no-index" not in found
        missing = pip_configuration({**files, "PIP_CONFIG_FILE": f"{named}.not-there"})
        assert missing["index-url"] == ["https://home.invalid"]

    def test_none_is_read_where_pip_is_told_so(self, home, files):
        home(".config/pip/pip.conf", "[global]\nindex-url = https://home.invalid\n")
        none = {**files, "PIP_CONFIG_FILE": os.devnull}
        assert "index-url" not in pip_configuration(none)
        assert pip_configuration({**none, "PIP_INDEX_URL": "https://v.invalid"})["index-url"] == ["https://v.invalid"]

    def test_a_section_for_install_goes_before_what_is_for_all_in_whichever_file(self, home, files):
        home("etc/pip/pip.conf", "[install]\nindex-url = https://install.invalid\n")
        home(".config/pip/pip.conf", "[global]\nindex-url = https://global.invalid\n[freeze]\nindex-url = x\n")
        assert pip_configuration(files)["index-url"] == ["https://install.invalid"]

    def test_variables_go_before_files(self, home, files):
        home(".config/pip/pip.conf", "[global]\nextra-index-url = https://file.invalid\n")
        found = pip_configuration({**files, "PIP_EXTRA_INDEX_URL": "https://a.invalid  https://b.invalid"})
        assert found["extra-index-url"] == ["https://a.invalid", "https://b.invalid"]

    def test_several_values_stand_on_lines_of_their_own(self, home, files):
        home(".config/pip/pip.conf", "[global]\nfind-links =\n    /a\n    https://b.invalid\ncert = /my certs/ca.pem\n")
        found = pip_configuration(files)
        assert (found["find-links"], found["cert"]) == (["/a", "https://b.invalid"], ["/my certs/ca.pem"])

    @pytest.mark.parametrize("text", ["[global\nx", "index-url = x", "[global]\na = 1\na = 2", "\0", "[global]\n= 3"])
    def test_a_damaged_file_is_passed_over(self, home, files, text):
        home("etc/pip/pip.conf", "[global]\nindex-url = https://a.invalid\n")
        home(".config/pip/pip.conf", text)
        assert pip_configuration(files)["index-url"] == ["https://a.invalid"]

    def test_a_file_in_another_encoding_is_passed_over(self, home, files, tmp_path):
        home(".config/pip/pip.conf", "")
        (tmp_path / ".config/pip/pip.conf").write_bytes(b"[global]\nindex-url = https://\xe9.invalid\n")
        assert "https://é.invalid" not in pip_configuration(files).get("index-url", ())

    @pytest.mark.parametrize(
        ("value", "expected"), [("1", ["1"]), ("True", ["1"]), ("yes", ["1"]), ("0", []), ("false", []), ("", None)]
    )
    def test_a_switch(self, files, value, expected):
        assert pip_configuration({**files, "PIP_NO_INDEX": value}).get("no-index") == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"PIP_INDEX_URL": "https://a.invalid"}, {"UV_DEFAULT_INDEX": "https://a.invalid", **BEST}),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a.invalid https://b.invalid"},
            {"UV_EXTRA_INDEX_URL": "https://a.invalid https://b.invalid", **BEST},
        ),
        ({"PIP_FIND_LINKS": "/a /b"}, {"UV_FIND_LINKS": "/a,/b"}),
        ({"PIP_CERT": "/my certs/ca.pem"}, {"SSL_CERT_FILE": "/my certs/ca.pem"}),
        ({"PIP_CERT": "/a", "SSL_CERT_FILE": "/b"}, {}),
        ({"PIP_CLIENT_CERT": "/a"}, {"SSL_CLIENT_CERT": "/a"}),
        ({"REQUESTS_CA_BUNDLE": "/a.pem"}, {"SSL_CERT_FILE": "/a.pem"}),
        ({"CURL_CA_BUNDLE": "/"}, {"SSL_CERT_DIR": "/"}),
        ({"REQUESTS_CA_BUNDLE": "/a.pem", "PIP_CERT": "/b.pem"}, {"SSL_CERT_FILE": "/b.pem"}),
        ({"REQUESTS_CA_BUNDLE": "/a.pem", "SSL_CERT_DIR": "/certs"}, {}),
        ({"PIP_TRUSTED_HOST": "a.invalid b.invalid:8080"}, {"UV_INSECURE_HOST": "a.invalid b.invalid:8080"}),
        ({"PIP_TIMEOUT": "15.5"}, {"UV_HTTP_TIMEOUT": "16"}),
        ({"PIP_DEFAULT_TIMEOUT": "60"}, {"UV_HTTP_TIMEOUT": "60"}),
        ({"PIP_DEFAULT_TIMEOUT": "60", "PIP_TIMEOUT": "5"}, {"UV_HTTP_TIMEOUT": "5"}),
        ({"PIP_TIMEOUT": "long"}, {}),
        ({"PIP_TIMEOUT": "5", "UV_HTTP_TIMEOUT": "9"}, {}),
        ({"PIP_PROXY": "http://p.invalid:3128"}, {"ALL_PROXY": "http://p.invalid:3128"}),
        ({"PIP_PROXY": "http://p.invalid:3128", "https_proxy": "http://q.invalid"}, {}),
        ({"PIP_PROXY": "http://p.invalid:3128", "ALL_PROXY": "http://q.invalid"}, {}),
        ({"PIP_QUIET": "1", "PIP_CACHE_DIR": "/x", "PIP_REQUIRE_VIRTUALENV": "true"}, {}),
        # who tells uv itself means that
        ({"PIP_INDEX_URL": "https://a.invalid", "UV_INDEX_URL": "https://b.invalid"}, {}),
        (
            {"PIP_INDEX_URL": "https://a.invalid", "UV_DEFAULT_INDEX": "https://b.invalid", "PIP_CERT": "/c"},
            {"SSL_CERT_FILE": "/c"},
        ),
        ({"PIP_FIND_LINKS": "/a", "UV_INDEX": "https://b.invalid"}, {}),
        (
            {"PIP_INDEX_URL": "https://a.invalid", "UV_INDEX_STRATEGY": "first-index"},
            {"UV_DEFAULT_INDEX": "https://a.invalid"},
        ),
    ],
    ids=str,
)
def test_variables(environ, variables, expected):
    assert told(environ, **variables) == expected


@pytest.mark.parametrize(
    ("place", "text", "wins"),
    [
        (".config/uv/uv.toml", '[[index]]\nurl = "https://uv.invalid"\n', True),
        (".config/uv/uv.toml", '[pip]\nindex-url = "https://uv.invalid"\n', True),
        (".config/uv/uv.toml", "offline = true\n", False),
        ("named.toml", 'find-links = ["/x"]\n', True),
    ],
)
def test_a_file_of_uvs_own_says_where_packages_come_from(home, environ, tmp_path, place, text, wins):
    home(place, text)
    named = {"UV_CONFIG_FILE": str(tmp_path / "named.toml")} if place == "named.toml" else {}
    found = told(environ, PIP_INDEX_URL="https://pip.invalid", **named)
    assert ("UV_DEFAULT_INDEX" in found) is not wins


INDEX = 'index]]\nurl = "https://uv.invalid"\n'


@pytest.mark.parametrize(
    ("files", "wins"),
    [
        ({"pyproject.toml": f"[[tool.uv.{INDEX}"}, True),
        ({"pyproject.toml": '[tool.uv.pip]\nextra-index-url = ["https://uv.invalid"]\n'}, True),
        ({"uv.toml": f"[[{INDEX}"}, True),
        ({"pyproject.toml": f"[[tool.uv.{INDEX}", "sub/pyproject.toml": '[project]\nname = "x"\n'}, True),
        ({"pyproject.toml": f"[[tool.uv.{INDEX}", "sub/uv.toml": "offline = true\n"}, False),
        ({"pyproject.toml": f"[[tool.uv.{INDEX}", "sub/pyproject.toml": "[tool.uv]\noffline = true\n"}, False),
        ({"pyproject.toml": "[tool]\nuv = 3\n"}, False),
        ({"pyproject.toml": "tool = 3\n"}, False),
        ({"pyproject.toml": "[[["}, False),
        ({}, False),
    ],
    ids=str,
)
def test_so_does_the_nearest_project_that_tells_uv_anything(home, environ, tmp_path, files, wins):
    (tmp_path / "project" / "sub").mkdir(parents=True)
    for name, text in files.items():
        home(f"project/{name}", text)
    found = settings({**environ, "PIP_INDEX_URL": "https://pip.invalid"}, folder=str(tmp_path / "project" / "sub"))
    assert ("UV_DEFAULT_INDEX" in found.environ) is not wins


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        (["--index-url https://a.invalid"], {}, {"UV_DEFAULT_INDEX": "https://a.invalid", **BEST}),
        (
            ["-i https://a.invalid"],
            {"PIP_INDEX_URL": "https://b.invalid"},
            {"UV_DEFAULT_INDEX": "https://a.invalid", **BEST},
        ),
        (
            ["--index-url=https://a.invalid"],
            {"UV_INDEX_URL": "https://b.invalid"},
            {"UV_DEFAULT_INDEX": "https://a.invalid", **BEST},
        ),
        (
            ["--extra-index-url https://a.invalid", "--extra-index-url https://b.invalid"],
            {"PIP_EXTRA_INDEX_URL": "https://c.invalid"},
            {"UV_EXTRA_INDEX_URL": "https://c.invalid https://a.invalid https://b.invalid", **BEST},
        ),
        (
            ["--extra-index-url https://a.invalid"],
            {"UV_EXTRA_INDEX_URL": "https://c.invalid"},
            {"UV_EXTRA_INDEX_URL": "https://c.invalid https://a.invalid", **BEST},
        ),
        (["-f /my wheels"], {"UV_FIND_LINKS": "/a,/b"}, {"UV_FIND_LINKS": "/a,/b,/my wheels"}),
        (["--trusted-host a.invalid"], {"PIP_TRUSTED_HOST": "b.invalid"}, {"UV_INSECURE_HOST": "b.invalid a.invalid"}),
        (["--pre", "--prefer-binary", "--require-hashes"], {}, {}),
        (
            ["--index-url https://${HOST}/simple"],
            {"HOST": "a.invalid"},
            {"UV_DEFAULT_INDEX": "https://a.invalid/simple", **BEST},
        ),
    ],
    ids=str,
)
def test_options_of_a_specification(environ, options, variables, expected):
    assert told(environ, *options, **variables) == expected


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        (["--no-index"], {}, ("--no-index",)),
        ([], {"PIP_NO_INDEX": "1"}, ("--no-index",)),
        (["--no-index"], {"PIP_NO_INDEX": "0"}, ("--no-index",)),
        (["--no-binary a", "--no-binary b"], {}, ("--no-binary=a", "--no-binary=b")),
        (["--only-binary :all:"], {"PIP_NO_BINARY": "c"}, ("--no-binary=c", "--only-binary=:all:")),
    ],
    ids=str,
)
def test_arguments_that_uv_has_no_variables_for(environ, options, variables, expected):
    found = settings({**environ, **variables}, options).arguments
    assert tuple(sorted(found)) == expected
    done = subprocess.run(
        [uv.find_uv_bin(), "pip", "compile", "-", *found], input="", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_variable_that_is_not_set_is_told(environ):
    with pytest.raises(UserErrorException, match=r"^--index-url: the environment variable TOKEN is not set") as error:
        settings(environ, ["--index-url https://a.invalid/${TOKEN}/simple"])
    assert error.value.hint == "set TOKEN before you submit"


class TestCredentials:
    def test_go_to_git_as_headers_behind_what_it_was_told_before(self, environ):
        before = {**environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
        found = dict(settings(before, (), {"a.invalid:8080": "me:p%40ss"}).environ)
        done = subprocess.run(
            ["git", "config", "--get-urlmatch", "http", "https://a.invalid:8080/x.git"],
            env={**os.environ, **before, **found},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "http.extraheader Authorization: Basic bWU6cEBzcw==\n"
        assert "GIT_CONFIG_KEY_0" not in found

    def test_of_nobody_tell_nothing(self, environ):
        found = settings(environ, ["--index-url https://a.invalid"])
        assert found.netrc == ""
        assert not [name for name in found.environ if name.startswith("GIT")]

    def test_stand_before_the_persons_own_netrc(self, home, environ):
        home(".netrc", "machine b.invalid login x password y\n")
        lines = settings(environ, (), {"a.invalid:8080": "me:p%20s%22s"}).netrc.split("\n")[:3]
        assert lines == ['machine a.invalid login "me" password "p s\\"s"', "machine b.invalid login x password y", ""]
        named = home("other", "machine c.invalid login x password y\n")
        assert "c.invalid" in settings({**environ, "NETRC": named}, (), {"a.invalid": "me:pw"}).netrc

    def test_are_not_shown(self, environ):
        found = settings(environ, (), {"a.invalid": "me:secret-word"})
        assert "secret-word" not in repr(found)


SECRET_PLACES = [
    ({"PIP_INDEX_URL": "https://me:{}@a.invalid/simple"}, (), {}),
    ({"UV_INDEX_URL": "https://me:{}@a.invalid/simple"}, (), {}),
    ({"HTTPS_PROXY": "http://me:{}@p.invalid:3128"}, (), {}),
    ({"https_proxy": "http://me:{}@p.invalid:3128"}, (), {}),
    ({"PIP_EXTRA_INDEX_URL": "https://b.invalid https://{}@a.invalid/simple"}, (), {}),
    ({}, (), {"a.invalid": "me:{}"}),
    ({}, (), {"a.invalid": "{}:"}),
]


@pytest.mark.parametrize(("quoted", "plain"), [("secret-word", "secret-word"), ("p%40ss%2Fword%25", "p@ss/word%")])
@pytest.mark.parametrize(("variables", "options", "credentials"), SECRET_PLACES, ids=str)
def test_a_password_is_hidden_however_it_is_written(environ, variables, options, credentials, quoted, plain):
    variables = {name: value.format(quoted) for name, value in variables.items()}
    found = settings(
        {**environ, **variables}, options, {host: pair.format(quoted) for host, pair in credentials.items()}
    )
    for word, text in itertools.product((quoted, plain), ("{}", "wrong: {}!", "https://me:{}@a.invalid/x", "'{}'")):
        assert word not in found.hide(text.format(word))


@given(
    st.text(
        st.characters(codec="ascii", exclude_characters="/?# \t\n\r\f\v\x1c\x1d\x1e\x1f", min_codepoint=33), min_size=1
    )
)
def test_whoever_an_address_names_is_hidden(text):
    shown = settings({"HOME": "/nowhere"}).hide(f"see https://{text}@host.invalid/x for more")
    assert shown == "see https://****@host.invalid/x for more"


def test_an_account_of_ssh_is_no_secret(environ):
    found = settings({**environ, "UV_INDEX": "git+ssh://builder@a.invalid"})
    assert found.hide("builder: git+ssh://builder@a.invalid/x") == "builder: git+ssh://builder@a.invalid/x"


class TestVariablesInAddresses:
    def test_are_shown_by_their_names(self, environ):
        found = settings({**environ, "TOKEN": "t0k/en"}, ["--find-links https://a.invalid/${TOKEN}/x"])
        assert found.environ["UV_FIND_LINKS"] == "https://a.invalid/t0k/en/x"
        shown = "https://a.invalid/${TOKEN}/x"
        assert found.hide("failed: https://a.invalid/t0k/en/x") == f"failed: {shown}"
        assert found.hide("failed: 'https://a.invalid/t0k%2Fen/x'") == f"failed: '{shown}'"

    def test_nothing_else_is_taken_for_them(self, environ):
        found = settings({**environ, "NAME": "spam"}, ["--find-links https://a.invalid/${NAME}"])
        assert found.named('name = "spam", url = "https://b.invalid/spam.whl"') == (
            'name = "spam", url = "https://b.invalid/${NAME}.whl"'
        )
