import pytest

from amlnb.errors import UserErrorException
from amlnb.notebook.flags import make_parser
from amlnb.notebook.options import SubmitOptions, parse_file_options, parse_options


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
        ("-p rate 0.1 --param opt adam first", SubmitOptions(name="first", parameters={"rate": 0.1, "opt": "adam"})),
        ("-p rate -0.1 -p x=1", SubmitOptions(parameters={"rate": -0.1, "x": 1})),
        ("--tag a --tag b=1=2", SubmitOptions(tags={"a": None, "b": "1=2"})),
        ("--timeout 1.5h", SubmitOptions(timeout_s=5400.0)),
        ("--timeout 90", SubmitOptions(timeout_s=90.0)),
        ("--block --as run", SubmitOptions(block=True, variable="run")),
        ("--no-block --dry-run", SubmitOptions(block=False, dry_run=True)),
        ("--out model,loss --out loss", SubmitOptions(results=("model", "loss"))),
        ("--in a --in b,c --no-capture", SubmitOptions(take=("a", "b", "c"), capture=False)),
        ("--with data.csv,conf --with x", SubmitOptions(paths=("data.csv", "conf", "x"))),
        ("--stream --reuse", SubmitOptions(stream=True, reuse=True)),
        ("--gpus 0 --nodes 1", SubmitOptions()),
        ("--tag color=#ff0000 --name run#3 # it is red", SubmitOptions(tags={"color": "#ff0000"}, name="run#3")),
        ("--name '#1' #2", SubmitOptions(name="#1")),
        ("--no-stream", SubmitOptions()),
        ("--help", SubmitOptions(help=True)),
    ],
)
def test_a_line_is_understood(line, options):
    assert parse_options(line) == options


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--experimnt x", "did you mean --experiment?"),
        ("--timeout soon", "the time limit 'soon' is no time"),
        ("--param rate", "the parameter 'rate' is not NAME=VALUE"),
        ("--param 1x=2", "the parameter '1x=2' is not NAME=VALUE"),
        ("--tag =1", "has no key"),
        ("--as not-a-name", "is not the name of a variable"),
        ("--as class", "is not the name of a variable"),
        ("--exp digits", "did you mean --experiment?"),
        ("-e 'Größen'", "'Größen' cannot be the name of an experiment: 'ö' is no letter"),
        ("--out 1x", "--out '1x' is not the name of a variable"),
        ("'open", "a quote is not closed"),
        ("a --name b", "named twice"),
        ("--env a --env b", "--env is given twice, 'a' and 'b'"),
        ("a b", 'put a name of several words in quotes: %%submit "my run"'),
        ("--lr 0.3 first", "value by --param lr=0.3"),
        ("--batch-size=8", "by --param batch_size=8"),
        ("--lr", "'%submit --help' shows all flags"),
        ("--block --no-block", "not allowed with"),
        ("--reuse --no-reuse", "not allowed with"),
        ("--stream --no-block", "--stream waits for the end"),
    ],
)
def test_a_wrong_line_is_refused_with_what_to_do(line, message):
    with pytest.raises(UserErrorException) as caught:
        parse_options(line)
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("line", ["--gpus 2", "--nodes 4", "--gpus=all"])
def test_what_comes_later_is_answered_with_one_plain_line(line):
    with pytest.raises(UserErrorException) as caught:
        parse_options(line)
    assert "later version" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("", SubmitOptions()),
        ("train.py --epochs 3 -p x", SubmitOptions(file="train.py", arguments=("--epochs", "3", "-p", "x"))),
        ("-e e --as run src/train.py", SubmitOptions(file="src/train.py", experiment="e", variable="run")),
        ("--tag of.py train.py other.py", SubmitOptions(tags={"of.py": None}, file="train.py", arguments=("other.py",))),
        (
            "train.ipynb -p lr 0.1 --block",
            SubmitOptions(file="train.ipynb", parameters={"lr": 0.1}, block=True),
        ),
        ("-p lr=0.1 train.ipynb --name x", SubmitOptions(file="train.ipynb", parameters={"lr": 0.1}, name="x")),
        ("--help", SubmitOptions(help=True)),
        (
            "train.py --url http://x/#frag --epochs 3",
            SubmitOptions(file="train.py", arguments=("--url", "http://x/#frag", "--epochs", "3")),
        ),
    ],
)
def test_a_file_is_told_from_flags_and_from_its_own_arguments(line, options):
    assert parse_file_options(line) == options


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--block", "names neither a script (.py) nor a notebook"),
        ("first", "names neither a script (.py) nor a notebook"),
        ("train.ipynb second", "'second' and 'train.ipynb' are two things to submit"),
        ("--experimnt x train.py", "did you mean --experiment?"),
    ],
)
def test_a_wrong_line_of_a_file_is_refused(line, message):
    with pytest.raises(UserErrorException) as caught:
        parse_file_options(line)
    assert message in str(caught.value)
    assert caught.value.hint


def test_settings_hold_where_the_line_says_nothing():
    settings = {
        "target": "box",
        "experiment": "e",
        "timeout": "2h",
        "reuse": True,
        "block": True,
        "tags": {"team": "x", "draft": None},
        "with": ["data.csv"],
    }
    assert parse_options("", settings) == SubmitOptions(
        target="box",
        experiment="e",
        timeout_s=7200.0,
        reuse=True,
        block=True,
        tags={"team": "x", "draft": None},
        paths=("data.csv",),
    )
    said = parse_options("-t local --timeout 1m --no-reuse --no-block --tag team=y --with more.csv", settings)
    assert (said.target, said.timeout_s, said.reuse, said.block) == ("local", 60.0, False, False)
    assert (said.tags, said.paths) == ({"team": "y", "draft": None}, ("data.csv", "more.csv"))


def test_a_line_goes_before_settings_that_wait():
    assert not parse_options("--no-block", {"stream": True}).stream
    assert not parse_options("--no-stream", {"stream": True}).stream
    assert parse_options("", {"stream": True, "block": False}).stream


def test_what_cells_take_along_by_default_is_no_matter_of_files():
    settings = {"with": ["configs"]}
    assert parse_file_options("train.py", settings).paths == ()
    assert parse_file_options("train.ipynb --with x", settings).paths == ("x",)


def test_every_flag_has_help():
    parser = make_parser()
    assert all(action.help for action in parser._actions)
    assert all(len(line) <= 100 for line in parser.format_help().splitlines())
