"""The git state of a source directory, without running anything the repository asks for."""

import os
import stat
import subprocess

import pytest

from amlnb.engine import git
from amlnb.engine.git import GitState, NotDetermined, read_git, without_credentials
from amlnb.store.objects import ObjectStore

pytestmark = pytest.mark.slow

PLENTY_S = 60.0
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost"]


def run_git(directory, *arguments):
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def read(directory, **environ):
    return read_git(directory, PLENTY_S, {"PATH": os.environ["PATH"], "HOME": str(directory.parent), **environ})


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repository"
    root.mkdir()
    run_git(root, "init", "-q", "-b", "trunk", ".")
    (root / "train.py").write_text("print(1)\n")
    (root / "sub").mkdir()
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "first")
    return root


def test_a_clean_repository_has_a_commit_a_branch_and_no_diff(repository):
    run_git(repository, "remote", "add", "origin", "https://user:secret@example.org/team/project.git")
    assert read(repository) == GitState(
        repository_uri="https://example.org/team/project.git",
        branch="trunk",
        commit=run_git(repository, "rev-parse", "HEAD"),
        dirty=False,
    )


def test_a_changed_file_makes_it_dirty_and_shows_in_the_diff_from_below_too(repository):
    (repository / "train.py").write_text("print(2)\n")
    for directory in (repository, repository / "sub"):
        state = read(directory)
        assert state.dirty is True
        assert b"-print(1)\n+print(2)\n" in state.diff


def test_a_staged_change_is_in_the_diff(repository):
    (repository / "new.py").write_text("new\n")
    run_git(repository, "add", "new.py")
    state = read(repository)
    assert state.dirty is True
    assert b"+new" in state.diff


def test_an_untracked_file_makes_it_dirty_but_an_ignored_one_does_not(repository):
    (repository / ".gitignore").write_text("*.log\n")
    run_git(repository, "add", "-A")
    run_git(repository, "commit", "-q", "-m", "second")
    (repository / "x.log").write_text("")
    assert read(repository).dirty is False
    (repository / "new.py").write_text("")
    assert (read(repository).dirty, read(repository).diff) == (True, None)


def test_a_detached_head_has_no_branch(repository):
    run_git(repository, "checkout", "-q", "--detach")
    state = read(repository)
    assert (state.branch, len(state.commit), state.not_determined) == (None, 40, ())


def test_before_the_first_commit_everything_is_in_no_commit(tmp_path):
    run_git(tmp_path, "init", "-q", "-b", "trunk", ".")
    assert read(tmp_path) == GitState(branch="trunk", dirty=True)


def test_the_remote_is_origin_else_the_first_one(repository):
    run_git(repository, "remote", "add", "fork", "git@example.org:me/fork.git")
    assert read(repository).repository_uri == "git@example.org:me/fork.git"
    run_git(repository, "remote", "add", "origin", "git@example.org:team/it.git")
    assert read(repository).repository_uri == "git@example.org:team/it.git"


def test_a_worktree_is_a_repository_too(repository, tmp_path):
    run_git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert read(tmp_path / "side").branch == "side"


def test_without_a_repository_git_is_not_even_started(tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    assert read_git(tmp_path, PLENTY_S, {"PATH": f"{tmp_path}/bin"}) == GitState()
    assert not (tmp_path / "started").exists()


def test_what_the_repository_configures_is_not_run(repository, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {tmp_path}/ran\ncat\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "pager.diff",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
    ):
        run_git(repository, "config", key, str(trap))
    (repository / ".gitattributes").write_text("*.py diff=evil\n")
    for hook in ("post-index-change", "post-checkout", "pre-commit"):
        (repository / ".git" / "hooks" / hook).write_text(trap.read_text())
        (repository / ".git" / "hooks" / hook).chmod(0o755)
    (repository / "train.py").write_text("print(2)\n")
    os.utime(repository / "sub")
    assert b"+print(2)" in read(repository, GIT_EXTERNAL_DIFF=str(trap), GIT_PAGER=str(trap)).diff
    assert not (tmp_path / "ran").exists()


def test_a_git_that_hangs_is_killed_with_what_it_started(repository, tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nsleep 600 &\nwait\n")
    program.chmod(0o755)
    state = read_git(repository, 0.5, {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert state == NotDetermined("git did not answer in time")
    for pid in (tmp_path / "pids").read_text().split():
        listing = subprocess.run(["ps", "-o", "stat=", "-g", pid], capture_output=True, text=True, check=False).stdout
        assert not [line for line in listing.split() if not line.startswith("Z")]


def test_what_git_does_not_tell_in_time_is_not_determined_and_the_rest_is_known(repository, tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    program.write_text(f'#!/bin/sh\ncase "$*" in *"diff --no"*) sleep 600;; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    state = read_git(repository, 1.0, {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert (state.branch, state.dirty, state.diff) == ("trunk", None, None)
    assert set(state.not_determined) == {"dirty", "diff"}


def test_a_missing_git_is_not_determined(repository, tmp_path):
    assert read_git(repository, PLENTY_S, {"PATH": str(tmp_path)}) == NotDetermined(
        "git is not installed, or not on PATH"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a repository to another user")
def test_another_users_repository_is_not_determined_and_says_why(repository):
    for folder, _, files in os.walk(repository):
        os.chown(folder, 12345, 12345)
        for name in files:
            os.chown(os.path.join(folder, name), 12345, 12345)
    state = read(repository)
    assert isinstance(state, NotDetermined)
    assert "dubious ownership" in state.reason


def test_a_damaged_repository_is_not_determined(repository):
    (repository / ".git" / "HEAD").write_text("garbage")
    assert isinstance(read(repository), NotDetermined)


def test_a_long_diff_is_cut_and_says_so(repository, monkeypatch):
    monkeypatch.setattr(git, "DIFF_MAX_BYTES", 1000)
    monkeypatch.setitem(git._READ_BYTES, "diff", 1000)
    (repository / "train.py").write_text("line\n" * 10_000)
    diff = read(repository).diff
    assert len(diff) < 1100
    assert diff.endswith(b"[the diff was cut here: it is longer than 1000 bytes]\n")


def test_variables_go_before_what_git_says(repository):
    state = read(
        repository,
        AZUREML_GIT_REPOSITORY_URI="https://x:y@example.org/other.git",
        AZUREML_GIT_BRANCH="theirs",
        AZUREML_GIT_COMMIT="c0ffee",
        AZUREML_GIT_DIRTY="True",
        AZUREML_GIT_BUILD_ID="7",
        AZUREML_GIT_BUILD_URI="https://ci/7",
    )
    assert state == GitState("https://example.org/other.git", "theirs", "c0ffee", True, None, "7", "https://ci/7")


def test_variables_count_without_a_repository(tmp_path):
    assert read(tmp_path, AZUREML_GIT_COMMIT="c0ffee") == GitState(commit="c0ffee")


def test_leftovers_of_a_hook_do_not_lead_to_another_repository(repository, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    run_git(other, "init", "-q", "-b", "wrong", ".")
    assert read(repository, GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other)).branch == "trunk"


def test_a_runs_record_holds_the_facts_and_the_diff_as_an_object(repository, tmp_path):
    objects = ObjectStore(tmp_path / "objects")
    assert GitState().record(objects) == {"git": None, "git_diff": None}
    (repository / "train.py").write_text("print(2)\n")
    state = read(repository)
    record = state.record(objects)
    assert record["git"] == {"repository_uri": None, "branch": "trunk", "commit": state.commit, "dirty": True}
    assert objects.read(record["git_diff"]) == state.diff
    assert NotDetermined("slow").record(objects) == {"git": {"not_determined": "slow"}, "git_diff": None}


def test_properties_have_v1s_names_and_only_known_values(repository):
    state = read(repository)
    assert state.properties() == {
        "azureml.git.branch": "trunk",
        "mlflow.source.git.branch": "trunk",
        "azureml.git.commit": state.commit,
        "mlflow.source.git.commit": state.commit,
        "azureml.git.dirty": "False",
    }
    assert GitState().properties() == NotDetermined("slow").properties() == {}


@pytest.mark.parametrize(
    ("uri", "clean"),
    [
        ("https://user:token@host.org:8443/a/b.git", "https://host.org:8443/a/b.git"),
        ("https://token@host.org/a.git?private_token=x#y", "https://host.org/a.git"),
        ("http://a:b@c@host/x", "http://host/x"),
        ("https://u:p@[::1]:80/x", "https://[::1]:80/x"),
        ("https://u:p@host:notaport/x", "https://host:notaport/x"),
        ("ssh://git:secret@host.org:22/a.git", "ssh://git@host.org:22/a.git"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
        ("user:secret@host:org/repo.git", "user@host:org/repo.git"),
        ("/srv/git/repo.git", "/srv/git/repo.git"),
        ("../repo@x:y", "../repo@x:y"),
        ("file:///srv/repo", "file:///srv/repo"),
    ],
)
def test_what_lets_one_in_is_taken_out_of_a_url(uri, clean):
    assert without_credentials(uri) == clean
