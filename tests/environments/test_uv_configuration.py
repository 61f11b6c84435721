"""Of what files say to uv, only where packages come from counts; a real uv reads what is left."""

import os

import pytest

from amlnb.environments import interpreters, uv_configuration
from amlnb.environments.index_settings import settings
from amlnb.environments.uv_builder import UvBuilder
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.testing.builder_contract import KeptLog

from .package_files import make_wheel

pytestmark = pytest.mark.slow


@pytest.fixture
def environ(tmp_path):
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_", "XDG_"))}
    return {
        **plain,
        "HOME": str(tmp_path / "home"),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_CONFIG_FILE": os.devnull,
    }


@pytest.fixture
def project(tmp_path):
    """A project whose packages lie beside it."""
    folder = tmp_path / "project"
    make_wheel(str(folder / "wheels"), "spam", "1.0")
    return folder


def write(folder, text, name="uv.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


@pytest.mark.parametrize(
    "pip",
    [
        'target = "there"',
        'prefix = "there"',
        'python-version = "3.7"',
        "universal = true",
        'python-platform = "macos"',
        'output-file = "there"',
        'python = "3.7"',
        "require-hashes = true",
    ],
)
def test_an_environment_is_made_whatever_else_a_project_tells_uv(environ, project, tmp_path, pip):
    write(project, f'no-index = true\nfind-links = ["wheels"]\n[pip]\n{pip}\n')
    builder = UvBuilder(interpreters.own(), environ, str(project), EnvironmentSpec())
    lock = builder.lock(EnvironmentSpec(pip=("spam",)), KeptLog())
    assert lock.versions() == {"spam": "1.0"}
    prefix = tmp_path / "prefix"
    builder.build(lock, str(prefix), KeptLog())
    assert list(prefix.glob("lib/python*/site-packages/spam-1.0.dist-info"))
    assert sorted(os.listdir(project)) == ["uv.toml", "wheels"]


def test_projects_go_before_the_persons_own_and_lists_are_joined(environ, project, tmp_path):
    index = '[[tool.uv.index]]\nname = "mine"\nurl = "https://a.invalid/\\u00e9"\ndefault = true\n'
    write(project, f'[tool.uv]\nindex-strategy = "first-index"\nfind-links = ["x"]\n{index}', "pyproject.toml")
    write(
        tmp_path / "home/.config/uv",
        'index-strategy = "unsafe-best-match"\nfind-links = ["/y"]\n[pip]\noffline = true\n',
    )
    found = uv_configuration.read(environ, str(project))
    assert found["index"] == [{"name": "mine", "url": "https://a.invalid/é", "default": True}]
    assert found["find-links"] == [str(project / "x"), "/y"]
    assert (found["index-strategy"], found["pip"]) == ("first-index", {"offline": True})
    assert uv_configuration.read({**environ, "UV_NO_CONFIG": "1"}, str(project)) == {}


def test_a_file_that_cannot_be_read_is_told(environ, tmp_path):
    write(tmp_path / "home/.config/uv", "[[index")
    with pytest.raises(UserErrorException, match=r"uv\.toml' is no TOML"):
        uv_configuration.read(environ, str(tmp_path))
    with pytest.raises(UserErrorException, match="there is no file '/not/there'"):
        uv_configuration.read({**environ, "UV_CONFIG_FILE": "/not/there"}, str(tmp_path))


def test_a_password_in_them_is_hidden(environ, project):
    write(project, 'index-url = "https://me:secret-word@a.invalid/simple"\n')
    found = settings(environ, folder=str(project))
    assert "secret-word" in found.configuration
    assert "secret-word" not in repr(found)
    assert "secret-word" not in found.hide("said: secret-word")
