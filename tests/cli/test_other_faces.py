"""Commands that are entry points of other faces, or of other packages."""

from importlib.metadata import EntryPoint

import pytest

from amlnb.cli import app, other_faces


@pytest.fixture
def others(monkeypatch):
    """Put these entry points in the place of those that are installed."""

    def put(**values):
        found = {name: EntryPoint(name, value, other_faces.GROUP) for name, value in values.items()}
        monkeypatch.setattr(other_faces, "_others", lambda: found)

    return put


def test_a_command_that_cannot_be_loaded_leaves_the_others_alone(others, capsys):
    others(broken="no_such_module:app", notebook="amlnb.notebook.command:app", odd="os:sep")
    assert app.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("broken", "notebook", "odd", "submit"))
    assert app.main(["broken", "--whatever", "x"]) == 1
    said = capsys.readouterr().err
    assert "'broken' cannot be loaded from 'no_such_module:app'" in said
    assert "hint:" in said


def test_our_own_commands_look_for_no_others_and_cannot_be_replaced(monkeypatch, capsys):
    def look():
        raise AssertionError("it was looked for")

    monkeypatch.setattr(other_faces, "_others", look)
    assert app.main(["run", "list", "--help"]) == 0


def test_a_command_that_nobody_owns_is_a_wrong_command_line(others, capsys):
    others()
    assert app.main(["nope"]) == 2
    assert "No such command 'nope'" in capsys.readouterr().err
