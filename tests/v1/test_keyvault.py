"""Secrets: kept for this user alone, and in nothing that a workspace or a run consists of."""

import json
import os
import shutil
import stat
import threading

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.keyvault import Keyvault
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.errors import FormatError, UserErrorException
from tests.v1.signatures import signature_of

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


@pytest.mark.parametrize("text", ['{"a": ', "[]", ""])
def test_a_file_that_is_damaged_is_told_and_left_as_it_is(workspace, text):
    vault = workspace.get_default_keyvault()
    vault.set_secret("a", "1")
    with open(vault._path, "w") as file:
        file.write(text)
    for call in (vault.list_secrets, lambda: vault.get_secret("a"), lambda: vault.set_secret("b", "2")):
        with pytest.raises(FormatError, match="is damaged") as raised:
            call()
        assert "set the secrets again" in raised.value.hint
    with open(vault._path) as file:
        assert file.read() == text


def test_what_a_newer_version_wrote_is_kept(workspace):
    vault = workspace.get_default_keyvault()
    with vault._held():
        vault._write({"newer": ["x"], "a": {"value": "1", "more": 2}})
    vault.set_secret("b", "2")
    assert vault.list_secrets() == [{"name": "a"}, {"name": "b"}]
    with open(vault._path) as file:
        kept = json.load(file)
    assert (kept["newer"], kept["a"]) == (["x"], {"value": "1", "more": 2})


def test_what_a_writer_that_was_killed_left_behind_is_removed(workspace):
    vault = workspace.get_default_keyvault()
    vault.set_secret("a", SECRET)
    with open(vault._path + ".0123.new", "w") as file:
        file.write(SECRET)
    vault.set_secret("a", "other")
    assert sorted(os.listdir(vault._folder)) == [os.path.basename(vault._path + ending) for ending in ("", ".lock")]


@pytest.mark.parametrize("has_id", [True, False])
def test_a_copied_workspace_has_secrets_of_its_own(workspace, tmp_path, monkeypatch, has_id):
    if not has_id:
        record = os.path.join(workspace.directory.path, "workspace.json")
        with open(record) as file:
            kept = {key: value for key, value in json.load(file).items() if key != "id"}
        with open(record, "w") as file:
            json.dump(kept, file)
    workspace.get_default_keyvault().set_secret("a", SECRET)
    shutil.copytree(tmp_path / "project", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    other = Workspace.from_config()
    assert other.get_default_keyvault().list_secrets() == []
    other.get_default_keyvault().set_secret("a", "other")
    other.delete()
    assert workspace.get_default_keyvault().get_secret("a") == SECRET
    workspace.delete()
    assert [path for path, content in texts_below(tmp_path / "user-data")] == []


def test_a_vault_is_removed_while_others_write(workspace):
    vault = workspace.get_default_keyvault()
    stop = threading.Event()

    def keep(letter):
        number = 0
        while not stop.is_set():
            Keyvault(workspace).set_secret(f"{letter}{number}", "x")
            assert Keyvault(workspace)._read() is not None
            number += 1

    threads = [threading.Thread(target=keep, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for _ in range(20):
        vault.delete()
    stop.set()
    for thread in threads:
        thread.join()
    vault.delete()
    assert not os.path.exists(vault._path)


@pytest.mark.parametrize(
    ("call", "signature"),
    [
        (Keyvault.set_secret, "(name, value, content_type='not_provided')"),
        (Keyvault.get_secret, "(name)"),
        (Keyvault.list_secrets, "()"),
    ],
)
def test_signatures_are_v1s(call, signature):
    assert signature_of(call) == signature
