import pytest

from amlnb.errors import UserErrorException
from amlnb.notebook import submit_settings
from amlnb.notebook.submit_settings import as_text, effective, parse_line, read_project

PROJECT = """
[tool.other]
target = "not ours"

[tool.amlnb]
target = "box"
timeout = "2h"
reuse = true
with = ["data.csv"]
tags = { team = "x", draft = true }
"""


def test_the_nearest_file_with_a_section_of_ours_counts(tmp_path, monkeypatch):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    settings, path = read_project(str(inner))
    assert settings == {
        "target": "box",
        "timeout": "2h",
        "reuse": True,
        "with": ["data.csv"],
        "tags": {"team": "x", "draft": None},
    }
    assert path == str(tmp_path / "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.amlnb]\ntraget = 'x'", "did you mean target?"),
        ("[tool.amlnb]\nreuse = 'perhaps'", "the setting reuse cannot be 'perhaps'"),
        ("[tool.amlnb]\ntarget = 3", "the setting target cannot be 3"),
        ("[tool.amlnb]\ntimeout = 'soon'", "the time limit 'soon' is no time"),
        ("[tool.amlnb]\nwith = [1]", "the setting with cannot be [1]"),
        ("[tool.amlnb", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(tmp_path, text, message):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UserErrorException) as caught:
        read_project(str(tmp_path))
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("", {"reuse": True}, {"reuse": True}),
        ("reuse=True target=box", {}, {"reuse": True, "target": "box"}),
        ("--reuse=no", {"reuse": True}, {"reuse": False}),
        ("target= ", {"target": "box", "reuse": True}, {"reuse": True}),
        ("--reset timeout=5m", {"target": "box"}, {"timeout": "5m"}),
        ("tags=team=x,draft with=a.csv,b", {}, {"tags": {"team": "x", "draft": None}, "with": ["a.csv", "b"]}),
        ("experiment='my-run' # said here", {}, {"experiment": "my-run"}),
    ],
)
def test_a_line_changes_settings(line, before, after):
    assert parse_line(line, before) == after


@pytest.mark.parametrize("line", ["reuse", "resue=True", "timeout=soon", "block=perhaps", "target='x", "tags==1"])
def test_a_wrong_line_is_refused_and_changes_nothing(line):
    before = {"target": "box"}
    with pytest.raises(UserErrorException) as caught:
        parse_line(line, before)
    assert caught.value.hint
    assert before == {"target": "box"}


def test_the_notebooks_settings_count_before_the_projects():
    project = {"target": "box", "tags": {"team": "x"}}
    here = {"target": "local", "tags": {"draft": None}}
    assert effective(project, here) == {"target": "local", "tags": {"team": "x", "draft": None}}


def test_the_effective_settings_are_shown_with_who_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    lines = as_text(*read_project("."), {"reuse": False}).splitlines()
    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert shown["target"].split() == ["box", "pyproject.toml"]
    assert shown["reuse"].split() == ["False", "%submit_config"]
    assert shown["tags"].split() == ["team=x,", "draft", "pyproject.toml"]
    assert shown["stream"].split() == ["False", "default"]
    assert list(shown) == ["setting", *submit_settings.KINDS]
