"""Ignore rules answer as git does."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlnb.engine.ignore import IgnoreRules, read_ignore_rules
from amlnb.errors import SnapshotException


def ignored(text, path):
    """Walk down to `path` as a snapshot does: an ignored directory ends the walk."""
    rules = IgnoreRules(text)
    parts = path.rstrip("/").split("/")
    for depth, name in enumerate(parts):
        directory = "".join(part + "/" for part in parts[:depth])
        is_directory = depth < len(parts) - 1 or path.endswith("/")
        if rules.ignored_names(directory, [name], directories=is_directory):
            return True
    return False


TREE = [
    "a", "b.txt", "dir/a", "dir/b.txt", "dir/sub/a", "dir/sub/b.txt", "foo/", "foo/bar", "foo/baz/x", "x/y/foo/bar",
    "with space", "end ", "#hash", "!bang", "new\nline", "b.txt\n", "br[ack]et", "star*", "q?", "UP.TXT",
    "deep/1/2/3/file.log", "build/out.o", "src/build/out.o", "back\\slash", ".hidden", "dir.d/x", "$dollar", "(paren)",
]  # fmt: skip


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("ignore")
    for path in TREE:
        full = os.path.join(root, path)
        if path.endswith("/"):
            os.makedirs(full, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w"):
                pass
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    return root


def ignored_by_git(repository, text):
    (repository / ".gitignore").write_text(text, newline="")
    asked = b"\0".join(os.fsencode(path.rstrip("/")) for path in TREE)  # git looks what it is
    answer = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "-z", "--stdin", "--no-index"],
        cwd=repository, input=asked, capture_output=True, check=False,
    )  # fmt: skip
    assert answer.returncode in (0, 1), answer.stderr
    told = {os.fsdecode(path) for path in answer.stdout.split(b"\0")}
    return {path for path in TREE if path.rstrip("/") in told}


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "/a", "a/", "*.txt", "*.txt\n!dir/b.txt", "dir/*\n!dir/sub", "dir/\n!dir/a", "foo/**", "foo/**\n!foo/bar",
        "**/foo", "**/foo/**", "x/**/bar", "foo/*/", "**/", "/*\n!/dir", "*\n!*/\n!*.log", "end ", "end\\ ", "\\#hash", "#hash",
        "\\!bang", "!bang", "new?line", "b.txt", "br\\[ack\\]et", "br[[]ack]et", "star\\*", "star[*]", "q\\?", "up.txt",
        "[!a]", "[a-c]*", "[", "foo\\", "deep/**/file.log", "build", "/build/", "*.o\n!/build/out.o", "a\r\nb.txt\r\n",
        "back\\\\slash", ".*", "*.d/", "$dollar", "(paren)", "***", "dir/**/b.txt", "/**/a", "sub", "dir/sub/", "**/sub/a",
    ],
)  # fmt: skip
def test_a_pattern_ignores_what_git_ignores(repository, text):
    assert {path for path in TREE if ignored(text, path)} == ignored_by_git(repository, text)


# No brackets and no backslashes: before a slash, which nobody writes, pathspec reads them in another way than git.
lines = st.text(alphabet="ab.x*?/! odirtfu", min_size=1, max_size=8)


@given(st.lists(lines, min_size=1, max_size=5))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_patterns_in_any_order_ignore_what_git_ignores(repository, patterns):
    text = "\n".join(patterns)
    assert {path for path in TREE if ignored(text, path)} == ignored_by_git(repository, text)


def test_the_amlignore_stands_alone_when_there_are_both(tmp_path):
    (tmp_path / ".gitignore").write_text("git.txt\n")
    assert read_ignore_rules(str(tmp_path)).ignored_names("", ["git.txt", "aml.txt"], directories=False) == {"git.txt"}
    (tmp_path / ".amlignore").write_text("aml.txt\n")
    assert read_ignore_rules(str(tmp_path)).ignored_names("", ["git.txt", "aml.txt"], directories=False) == {"aml.txt"}


def test_without_an_ignore_file_nothing_is_ignored(tmp_path):
    assert read_ignore_rules(str(tmp_path)).ignored_names("", ["x"], directories=True) == set()


def test_a_byte_order_mark_and_bytes_that_are_no_text_are_borne(tmp_path):
    (tmp_path / ".amlignore").write_bytes(b"\xef\xbb\xbffirst\ncaf\xe9\n")
    names = ["first", os.fsdecode(b"caf\xe9"), "other"]
    assert read_ignore_rules(str(tmp_path)).ignored_names("", names, directories=False) == set(names[:2])


def test_an_ignore_file_that_cannot_be_read_is_told_by_name(tmp_path):
    (tmp_path / ".amlignore").mkdir()
    with pytest.raises(SnapshotException, match=r"\.amlignore"):
        read_ignore_rules(str(tmp_path))
