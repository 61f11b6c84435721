"""The README says what works: its commands exist."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.partition(" #")[0].strip() for language, block in BLOCKS if not language for line in block.splitlines()]


def test_first_lines_are_the_commands_of_a_newcomer():
    assert README.splitlines()[:4] == ["# amlnb", "", "```", README.splitlines()[3]]
    assert README.splitlines()[3].startswith("make demo ")


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_target_exists(command):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("amlnb ")])
def test_command_line_has_the_command(command):
    words = [word for word in shlex.split(command)[1:] if re.fullmatch("[a-z]+", word)]
    done = subprocess.run([sys.executable, "-m", "amlnb", *words, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert words[-1] in done.stdout


def test_python_blocks_are_python_with_names_that_exist():
    import amlnb

    blocks = [block for language, block in BLOCKS if language == "python"]
    for block in blocks:
        code = "\n".join(line for line in block.splitlines() if not line.startswith("%"))
        compile(code, "README.md", "exec")
        for names in re.findall(r"^from amlnb import (.+)$", code, re.MULTILINE):
            assert set(names.split(", ")) <= set(amlnb.__all__)


def test_linked_files_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target
