"""What is typed for an SSH target, and what its errors mean."""

import os
import shlex
import subprocess
import sys

import pytest

from amlnb.compute import ssh_command
from amlnb.compute.ssh_command import SshTarget, control_path, refusal, remote_command, ssh_arguments
from amlnb.errors import BackendUnavailable, ComputeTargetException

TARGET = SshTarget("gpu1")


def test_a_definition_becomes_a_command_line_in_which_the_users_options_come_first():
    target = SshTarget.parse(
        {
            "kind": "ssh",
            "host": "gpu1",
            "user": "ada",
            "port": 2222,
            "config_file": "/c",
            "options": {"ProxyJump": "gate"},
        }
    )
    arguments = ssh_arguments(target, "/s/50%")
    assert arguments[:9] == ["ssh", "-F", "/c", "-p", "2222", "-l", "ada", "-o", "ProxyJump=gate"]
    assert "ControlPath=/s/50%%" in arguments
    assert {"BatchMode=yes", "ControlMaster=auto"} < set(arguments)
    assert target.name == "ada@gpu1:2222"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"host": None}, "None is not the name"),
        ({"host": "-oProxyCommand=evil"}, "is not the name"),
        ({"host": "a b"}, "is not the name"),
        ({"host": ""}, "is not the name"),
        ({"user": "-x"}, "is not the name of a user"),
        ({"user": 5}, "not a text"),
        ({"port": "22"}, "not a number below 65536"),
        ({"port": 70000}, "not a number below 65536"),
        ({"python": ""}, "not a text"),
        ({"root": "a\nb"}, "not a text"),
        ({"options": ["x"]}, "options"),
        ({"options": {"x": None}}, "options"),
        ({"passwrod": "x"}, "'passwrod'"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_value(change, message):
    with pytest.raises(ComputeTargetException, match=message):
        SshTarget.parse({"kind": "ssh", "host": "gpu1", **change})


def test_a_control_socket_always_fits_and_targets_do_not_share_one():
    short = control_path(TARGET, "/home/ada/.cache/amlnb")
    assert short.startswith("/home/ada/.cache/amlnb/ssh/")
    long = control_path(TARGET, "/home/" + "a" * 100)
    assert len(long) + 17 < 108
    assert str(os.getuid()) in long
    assert control_path(SshTarget("gpu2"), "/cache") != control_path(TARGET, "/cache")


@pytest.mark.parametrize(
    ("root", "python", "expected"),
    [
        (None, "python3", ["{home}/.local/share/amlnb", "python3"]),
        ("/scratch/my runs", "/opt/py thon/bin/python", ["/scratch/my runs", "/opt/py thon/bin/python"]),
        ("~/runs", "~/venv/bin/python", ["{home}/runs", "{home}/venv/bin/python"]),
        ("runs", "python3", ["{home}/runs", "python3"]),
        ("/a'b\"c$HOME;x", "python3", ["/a'b\"c$HOME;x", "python3"]),
    ],
)
def test_places_over_there_survive_the_shell(root, python, expected, tmp_path):
    script = ssh_command._places(SshTarget("h", root=root, python=python), "v1") + ' printf "%s\\n" "$R" "$P" "$D"'
    command = remote_command(SshTarget("h"), script)
    assert command[:2] == ["--", "h"]
    # As sshd does it: the user's shell gets the whole as one text.
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    output = subprocess.run(["sh", "-c", command[2]], env=environ, capture_output=True, text=True, check=True).stdout
    root_there, python_there, run_side = output.splitlines()
    assert [root_there, python_there] == [text.format(home=tmp_path) for text in expected]
    assert run_side == root_there + "/run-side/v1"


def test_the_script_that_unpacks_says_when_python_is_too_old():
    old = os.path.join(os.environ.get("PYENV_ROOT", ""), "versions", "2.7.18", "bin", "python")
    if not os.path.exists(old):
        pytest.skip("there is no Python 2.7 here")
    done = subprocess.run(
        [old, "-c", ssh_command._UNPACK, "/nowhere"], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert done.stdout.split() == [ssh_command.OLD_PYTHON, b"2.7.18"]


def test_the_script_that_unpacks_keeps_what_another_one_unpacked_first(tmp_path):
    tar = subprocess.run(
        ["tar", "-cf", "-", "-C", os.path.dirname(__file__), "."], capture_output=True, check=True
    ).stdout
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", ssh_command._UNPACK, str(tmp_path / "deep" / "v1")],
            input=tar,
            capture_output=True,
            check=True,
        )
        assert done.stdout.strip() == ssh_command.STAGED
    assert os.listdir(tmp_path / "deep") == ["v1"]
    assert os.path.basename(__file__) in os.listdir(tmp_path / "deep" / "v1")


CHANGED = "@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\nHost key verification failed.\n"


@pytest.mark.parametrize(
    ("code", "complaint", "kind", "message", "hint"),
    [
        (255, CHANGED, ComputeTargetException, "another host key", "ssh-keygen -R gpu1"),
        (255, "Host key verification failed.", ComputeTargetException, "is not known here", "ssh gpu1"),
        (255, "No ED25519 host key is known for gpu1 and you have requested strict checking.", ComputeTargetException, "not known", "ssh"),
        (255, "ada@gpu1: Permission denied (publickey).", ComputeTargetException, "did not let us in", "ssh-agent"),
        (255, "ssh: connect to host gpu1 port 22: Connection refused", BackendUnavailable, "cannot be reached", ""),
        (255, "ssh: connect to host gpu1 port 22: No route to host", BackendUnavailable, "No route to host", ""),
        (255, "ssh: connect to host gpu1 port 22: Connection timed out", BackendUnavailable, "timed out", ""),
        (255, "ssh: Could not resolve hostname gpu1: Name or service not known", BackendUnavailable, "not found", "name"),
        (255, "command-line: line 0: Bad configuration option: foo", ComputeTargetException, "configuration", "definition"),
        (255, "Can't open user config file /nope: No such file", ComputeTargetException, "configuration", "definition"),
        (255, "", BackendUnavailable, "ended with code 255", ""),
        (-9, "", BackendUnavailable, "ended with code -9", ""),
        (127, "sh: 1: exec: python3: not found", ComputeTargetException, "no Python at 'python3'", "'python'"),
        (126, "sh: 1: exec: python3: Permission denied", ComputeTargetException, "no Python at 'python3'", "'python'"),
        (1, "OSError: [Errno 28] No space left on device", ComputeTargetException, "No space left", "disk"),
    ],
)  # fmt: skip
def test_sshs_failures_become_errors_that_say_what_to_do(code, complaint, kind, message, hint):
    error = refusal(TARGET, code, complaint)
    assert type(error) is kind
    assert message in error.message
    assert "gpu1" in error.message
    assert hint in (error.hint or "")


def test_the_command_for_the_far_end_is_one_word_for_any_shell():
    assert shlex.split(remote_command(TARGET, "echo 'a b' \"$X\"")[2]) == ["exec", "sh", "-c", "echo 'a b' \"$X\""]
