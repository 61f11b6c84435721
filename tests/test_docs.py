"""The pages under docs/: their links lead somewhere, and what the page on environments shows is understood."""

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

import amlnb
from amlnb.api.environment_words import asked_for
from amlnb.cli.app import main
from amlnb.environments.curated import curated
from amlnb.environments.inline_metadata import find
from amlnb.environments.specifications import Surroundings, from_word
from amlnb.notebook.options import parse_file_options, parse_options
from amlnb.specs.environment_spec import EnvironmentSpec

FOLDER = Path(__file__).resolve().parent.parent / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
PAGE = PAGES["environments.md"]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
LINES = [line.partition("  #")[0].strip() for language, block in BLOCKS if not language for line in block.splitlines()]
LINES += [line.partition("  #")[0].strip() for line in re.findall(r"^    (amlnb .*)$", PAGE, re.MULTILINE)]
WORDS = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))
# Endings, a heading, what stands for many, what is on no machine.
NO_WORDS = (".txt", ".in", ".yml", ".yaml", "--env", "AzureML-", "/envs")
FILES = {
    "requirements.txt": "humanize\n",
    "environment.yml": "dependencies: [numpy]\n",
    "Dockerfile": "FROM scratch\n",
    "lock.json": "{}",
}


def blocks(language):
    return [block for name, block in BLOCKS if name == language]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


@pytest.mark.parametrize(
    ("page", "target"),
    [(name, target) for name, text in PAGES.items() for target in re.findall(r"\]\((?!http)([^)]+)\)", text)],
)
def test_links_lead_somewhere(page, target):
    path, _, anchor = target.partition("#")
    linked = (FOLDER / path) if path else FOLDER / page
    assert linked.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("line", LINES)
def test_lines_of_the_page_are_understood(line, capsys):
    words = shlex.split(line)
    if words[0] == "%%submit":
        assert parse_options(line.partition(" ")[2]).environment
    elif words[0] == "%submit":
        assert parse_file_options(line.partition(" ")[2]).environment
    else:
        command = words[1:3] if words[1] == "env" else words[1:2]
        assert main([*command, "--help"]) == 0
        told = capsys.readouterr().out
        assert all(word in told for word in words if word.startswith("--"))


@pytest.mark.parametrize("word", [word for word in WORDS if not word.startswith(NO_WORDS)])
def test_words_of_the_table_are_understood(folder, word):
    around = Surroundings(
        str(folder),
        os.environ,
        named={"NAME": EnvironmentSpec(name="NAME"), "NAME:3": EnvironmentSpec(name="NAME")}.get,
        inline=(blocks("python")[0], "the cell"),
    )
    asked = from_word(word.replace("IMAGE", "python:3.11-slim"), around)
    assert (asked.lock_file is not None) == (word == "lock.json")
    assert asked.spec.kind != "workspace" or word in {"NAME", "NAME:3", "lock.json"}


def test_metadata_and_projects_are_understood(folder):
    block = find(blocks("python")[0], "the cell")
    assert block is not None
    assert block.document["dependencies"] == ["numpy", "torch==2.13.0"]
    word, table = blocks("toml")
    (folder / "pyproject.toml").write_text(word)
    assert asked_for(None, str(folder), str(folder)).pip == ("humanize",)
    (folder / "pyproject.toml").write_text(table)
    found = asked_for(None, str(folder), str(folder))
    assert found.pip == ("humanize", "humanize>=4")
    assert (found.python, found.strict, found.use_conda) == ("3.11", True, True)
    assert asked_for(None, str(folder), str(folder), target="box").interpreter == "/opt/envs/vision/bin/python"


def test_names_of_the_page_exist():
    code = blocks("python")[1]
    compile(code, "environments.md", "exec")
    names = re.search(r"^from amlnb import ([\w, ]+?) *(#.*)?$", code, re.MULTILINE)[1].split(", ")
    assert set(names) <= set(amlnb.__all__)
    for method in re.findall(r"`((?:from|save|load)_\w+)`", PAGE):
        assert hasattr(amlnb.Environment, method)
    for name in re.findall(r"`(AzureML-[\w.-]+\w)`", PAGE):
        assert curated(name) is not None
