import pytest

from amlnb.errors import UserErrorException
from amlnb.notebook.options import SubmitOptions, make_parser, parse_options


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("", SubmitOptions()),
        ("'my run'", SubmitOptions(name="my run")),
        ("--name x -e e -t box # comment", SubmitOptions(name="x", experiment="e", target="box")),
        (
            "-p rate=0.1 -p opt=adam -p sizes=[1,2]",
            SubmitOptions(parameters={"rate": 0.1, "opt": "adam", "sizes": [1, 2]}),
        ),
        ("--tag a --tag b=1=2", SubmitOptions(tags={"a": None, "b": "1=2"})),
        ("--timeout 1.5h", SubmitOptions(timeout_s=5400.0)),
        ("--timeout 90", SubmitOptions(timeout_s=90.0)),
        ("--block --as run", SubmitOptions(block=True, variable="run")),
        ("--no-block --dry-run", SubmitOptions(block=False, dry_run=True)),
        ("--help", SubmitOptions(help=True)),
    ],
)
def test_a_line_is_understood(line, options):
    assert parse_options(line) == options


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--experimnt x", "did you mean --experiment?"),
        ("--timeout soon", "'soon' is not a time"),
        ("--param rate", "'rate' is not NAME=VALUE"),
        ("--param 1x=2", "'1x=2' is not NAME=VALUE"),
        ("--tag =1", "has no key"),
        ("--as not-a-name", "is not the name of a variable"),
        ("'open", "a quote is not closed"),
        ("a --name b", "named twice"),
        ("a b", 'put a name of several words in quotes: %%submit "my run"'),
        ("--lr 0.3 first", "by --param lr=0.3"),
        ("--batch-size=8", "by --param batch_size=8"),
        ("--lr", "'%submit --help' shows all flags"),
        ("--out x", "--out comes with a later version"),
        ("--block --no-block", "not allowed with"),
    ],
)
def test_a_wrong_line_is_refused_with_what_to_do(line, message):
    with pytest.raises(UserErrorException) as caught:
        parse_options(line)
    assert message in str(caught.value)
    assert caught.value.hint


def test_every_flag_has_help():
    assert all(action.help for action in make_parser()._actions)
