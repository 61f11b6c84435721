"""Secrets: kept for this user alone, and in nothing that a workspace or a run consists of."""

import inspect
import os
import stat
import threading

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.keyvault import Keyvault
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException

SECRET = "hunter2-and-more"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return Workspace.find_or_create(".")[0]


def texts_below(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                yield os.path.join(top, name), file.read()


def test_secrets_are_set_had_listed_and_deleted(workspace):
    vault = workspace.get_default_keyvault()
    vault.set_secret(name="one", value=SECRET)
    vault.set_secrets({"two": "2", "three": "3"})
    assert Workspace.from_config().get_default_keyvault().get_secret("one") == SECRET
    assert vault.get_secrets(["two", "three"]) == {"two": "2", "three": "3"}
    assert vault.list_secrets() == [{"name": "one"}, {"name": "three"}, {"name": "two"}]
    assert vault.get_secret_content_type("one") == "not_provided"
    vault.set_secret("one", "other", content_type="password")
    assert (vault.get_secret("one"), vault.get_secret_content_type("one")) == ("other", "password")
    vault.delete_secret("one")
    vault.delete_secrets(["two", "never"])
    assert vault.list_secrets() == [{"name": "three"}]
    assert SECRET not in repr(vault)


def test_a_secret_that_is_not_there_is_told_with_those_that_are(workspace):
    vault = workspace.get_default_keyvault()
    with pytest.raises(UserErrorException, match="there is no secret 'x'") as raised:
        vault.get_secret("x")
    assert "there are: none" in raised.value.hint
    vault.set_secret("password", SECRET)
    with pytest.raises(UserErrorException) as raised:
        vault.get_secret("pasword")
    assert raised.value.hint == "did you mean 'password'?"
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ["", "a b", "a_b", "../a", "-a", "a" * 128, 3])
def test_names_that_no_secret_can_have(workspace, name):
    with pytest.raises(UserErrorException, match="cannot be the name of a secret"):
        workspace.get_default_keyvault().set_secret(name, "x")


def test_a_value_is_a_text_and_of_several_all_or_none_are_kept(workspace):
    vault = workspace.get_default_keyvault()
    with pytest.raises(UserErrorException, match="the secret 'b' is a int"):
        vault.set_secrets({"a": "1", "b": 2})
    assert vault.list_secrets() == []


def test_two_workspaces_have_secrets_of_their_own(workspace):
    other = Workspace.create("other")
    workspace.get_default_keyvault().set_secret("a", "1")
    assert other.get_default_keyvault().list_secrets() == []


def test_the_file_is_for_this_user_alone_and_outside_of_the_workspace(workspace, tmp_path):
    workspace.get_default_keyvault().set_secret("a", SECRET)
    holding = [path for path, content in texts_below(tmp_path) if SECRET.encode() in content]
    assert len(holding) == 1
    assert not holding[0].startswith(str(tmp_path / "project"))
    assert stat.S_IMODE(os.stat(holding[0]).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(holding[0])).st_mode) == 0o700


def test_a_run_knows_none_of_it_unless_it_asks(workspace, tmp_path):
    vault = workspace.get_default_keyvault()
    vault.set_secret("a", SECRET)
    with open("train.py", "w") as file:
        file.write("from amlnb import Run\nprint(len(Run.get_context().get_secret('a')))")
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py"))
    run.wait_for_completion()
    with open(os.path.join(run.directory, "user_logs", "std_log.txt")) as file:
        assert file.read() == f"{len(SECRET)}\n"
    assert not [path for path, content in texts_below(workspace.directory.path) if SECRET.encode() in content]


def test_of_two_who_set_secrets_at_once_both_are_heard(workspace):
    def keep(letter):
        for number in range(20):
            Keyvault(workspace).set_secret(f"{letter}{number}", "x")

    threads = [threading.Thread(target=keep, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Keyvault(workspace).list_secrets()) == 60


def test_a_damaged_file_is_no_secret(workspace):
    vault = workspace.get_default_keyvault()
    vault.set_secret("a", "1")
    with open(vault._path, "w") as file:
        file.write('{"a": 3, "b": {"value": 4}, "c": {"value": "5"}}')
    assert vault.list_secrets() == [{"name": "c"}]


def test_signatures_are_v1s():
    assert list(inspect.signature(Keyvault.set_secret).parameters) == ["self", "name", "value", "content_type"]
    assert list(inspect.signature(Keyvault.get_secret).parameters) == ["self", "name"]
