"""What a person types, as values: names of runs, times, sizes, files, the end of a log."""

import os
from types import SimpleNamespace

import pytest

from amlnb.api.submission_words import check_experiment, experiment_name, locate, seconds
from amlnb.cli.app import main
from amlnb.cli.log_copy import tail_offset
from amlnb.cli.output import Column, fitting
from amlnb.cli.run_files import matching, size
from amlnb.cli.run_names import choose, short_id
from amlnb.cli.run_wait import exit_code
from amlnb.core.replay import RunFacts
from amlnb.errors import UserErrorException


def run(run_id, experiment="digits", number=1, *, archived=False, parent=None):
    told = {"id": run_id, "experiment": experiment, "number": number, "archived": archived, "parent": parent}
    return SimpleNamespace(**told, display_name=None)


RUNS = [
    run("digits_1795_child001", number=4, parent="digits_1795_2dc6360b"),
    run("digits_1795_archived", number=3, archived=True),
    run("digits_1795_2dc6360b", number=2),
    run("digits_1794_a3c27fd6", number=1),
    run("a#2_1_bbbbbbbb", experiment="a#2", number=1),
    run("0b5f81cc-43f0-4c12-8f8e-35ab5b6b19f1", experiment="other"),
    run("last-of-them", experiment="other", number=2),
    run("HD_1", experiment="hd"),
    run("HD_1_0", experiment="hd", number=2),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits_1795_2dc6360b", "digits_1795_2dc6360b"),
        ("2dc6360b", "digits_1795_2dc6360b"),
        ("60b", "digits_1795_2dc6360b"),
        ("digits_1794", "digits_1794_a3c27fd6"),
        ("digits#1", "digits_1794_a3c27fd6"),
        ("digits#3", "digits_1795_archived"),
        ("a#2#1", "a#2_1_bbbbbbbb"),
        ("0b5f81cc", "0b5f81cc-43f0-4c12-8f8e-35ab5b6b19f1"),
        ("last", "digits_1795_2dc6360b"),
        ("last-", "last-of-them"),
        ("HD_1", "HD_1"),
    ],
)
def test_a_name_means_one_run(name, expected):
    assert choose(name, RUNS).id == expected


def test_an_id_goes_before_the_word_last():
    assert choose("last", [*RUNS, run("last")]).id == "last"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "'amlnb run list'"),
        ("digits_17", "can be any of 4 runs"),
        ("digits#9", "did you mean 'digits#"),
        ("digist#1", "did you mean 'digits#1'"),
        ("2dc6360d", "did you mean '2dc6360b'"),
        ("DIGITS_1794_A3C27FD6", "no run"),
        ("digits#", "no run"),
        ("#1", "no run"),
        ("digits#\u0661", "no run"),
        ("*", "no run"),
    ],
)
def test_a_wrong_name_is_refused_with_the_near_one(name, told):
    with pytest.raises(UserErrorException) as raised:
        choose(name, RUNS)
    assert told in str(raised.value)


def test_last_of_nothing_says_so():
    with pytest.raises(UserErrorException, match="no runs in this workspace"):
        choose("last", [run("x", archived=True)])


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("digits_1795236318_2dc6360b", "2dc6360b"),
        ("0b5f81cc-43f0-4c12-8f8e-35ab5b6b19f1", "0b5f81cc"),
        ("mine", "mine"),
        ("HD_1", "HD_1"),
        ("a_very-long-name-of-ones-own", "a_very-long-name-of-ones-own"),
    ],
)
def test_the_short_id_is_a_name_of_the_run(run_id, expected):
    assert short_id(run_id) == expected
    assert choose(short_id(run_id), [run(run_id)]).id == run_id


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1.5", 1.5), ("30m", 1800), ("8h", 28800), ("2d", 172800), (" 5 s ", 5)]
)
def test_times(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-5", "0", "0h", "5 min", "1h30m", "inf", "nan", "1e3"])
def test_wrong_times(text):
    with pytest.raises(UserErrorException, match="time limit"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("500M", 5 * 10**8), ("2g", 2 * 10**9), ("1.5kB", 1500), ("7 TB", 7 * 10**12)]
)
def test_sizes(text, expected):
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "5x", "5 MiB", "1e9"])
def test_wrong_sizes(text):
    with pytest.raises(UserErrorException, match="no size"):
        size(text)


def test_the_source_directory_is_where_one_is_if_the_script_is_in_it(tmp_path, monkeypatch):
    here, other = tmp_path / "here", tmp_path / "other"
    for folder in (here / "src", other):
        folder.mkdir(parents=True)
        (folder / "train.py").write_text("pass")
    monkeypatch.chdir(here)
    assert locate("src/train.py", None) == (str(here), "src/train.py")
    assert locate("./src/../src/train.py", None) == (str(here), "src/train.py")
    assert locate("../other/train.py", None) == (str(other), "train.py")
    assert locate(str(other / "train.py"), None) == (str(other), "train.py")
    assert locate("train.py", "src") == (str(here / "src"), "train.py")
    assert locate("src/train.py", "src") == (str(here / "src"), "train.py")
    assert locate("../other/train.py", "src") == (str(here / "src"), "../other/train.py")  # refused by submit


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/home/me/digits", "digits"),
        ("/x/my project (2)", "my-project-2"),
        ("/x/日本", "experiment"),
        ("/x/Prüfung <b> eins", "Prufung-b-eins"),
        ("/x/Gro\u0308ße Œuvre", "Grosse-uvre"),
        ("/", "experiment"),
        ("/x/_a_", "a"),
        ("/x/" + "b" * 99, "b" * 36),
    ],
)
def test_an_experiment_is_named_after_the_folder(folder, expected):
    assert experiment_name(folder) == expected


@pytest.mark.parametrize(
    ("name", "why", "hint"),
    [
        ("Größen <b>fett</b>", "'ö' is no letter from a to z", "such as 'Grossen-b-fett-b'; 1 to 255"),
        ("a b", "' ' is no letter", "such as 'a-b'"),
        ("a/b", "'/' is no letter", "such as 'a-b'"),
        ("-a", "it begins with '-'", "such as 'a'"),
        ("x" * 256, "it has 256 characters", "1 to 255"),
        ("", "it is empty", "1 to 255"),
        (None, "it is a NoneType", "1 to 255"),
    ],
)
def test_a_name_that_no_experiment_can_have_is_told_with_what_is_wrong(name, why, hint):
    with pytest.raises(UserErrorException) as refused:
        check_experiment(name)
    assert f"cannot be the name of an experiment: {why}" in refused.value.message
    assert hint in refused.value.hint


FILES = {name: name for name in ["logs/a.txt", "outputs/model.pt", "outputs/deep/b.pt", "outputs.txt", "we[i]rd.txt"]}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["outputs"], ["outputs/model.pt", "outputs/deep/b.pt"]),
        (["outputs/"], ["outputs/model.pt", "outputs/deep/b.pt"]),
        (["outputs/*.pt"], ["outputs/model.pt", "outputs/deep/b.pt"]),
        (["outputs.txt", "logs/a.txt"], ["outputs.txt", "logs/a.txt"]),
        (["we[i]rd.txt"], ["we[i]rd.txt"]),
        (["*"], list(FILES)),
    ],
)
def test_files_are_named_singly_by_folder_or_by_pattern(wanted, expected):
    assert list(matching(FILES, wanted)) == expected


def test_a_file_that_is_not_there_is_refused_though_others_are():
    with pytest.raises(UserErrorException, match=r"did you mean 'outputs/model\.pt'"):
        matching(FILES, ["logs", "outputs/modle.pt"])


@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize("width", [1, 50, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_last_lines_are_found_from_the_end(tmp_path, width, count, ending):
    lines = [str(i).encode() * width for i in range(4)]
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(lines) + ending)
    offset = tail_offset(str(path), count)
    assert path.read_bytes()[offset:] == b"\n".join(lines[-count:]) + ending


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [(b"", 3, 0), (b"\n", 1, 0), (b"\n\n\n", 2, 1), (b"a\nb\n", 0, 4), (b"a\n\nb", 2, 2)],
)
def test_the_last_lines_of_odd_files(tmp_path, content, lines, expected):
    (tmp_path / "log").write_bytes(content)
    assert tail_offset(str(tmp_path / "log"), lines) == expected


def test_the_end_of_a_log_of_ten_gigabytes_is_found_without_reading_it(tmp_path):
    path = tmp_path / "log"
    with open(path, "wb") as file:
        file.truncate(10 * 10**9)  # a hole costs no disk
        file.seek(0, os.SEEK_END)
        file.write(b"\nlast line\n")
    assert tail_offset(str(path), 1) == 10 * 10**9 + 1
    assert tail_offset(str(tmp_path / "missing"), 1) == 0


@pytest.mark.parametrize(
    ("phase", "code", "signal", "expected"),
    [
        ("Completed", 0, None, 0),
        ("Failed", 7, None, 7),
        ("Failed", None, 11, 139),
        ("Failed", None, None, 1),
        ("Failed", 0, None, 1),
        ("Failed", 256, None, 1),
        ("Canceled", None, 15, 130),
        ("Canceled", 0, None, 130),
    ],
)
def test_the_exit_code_of_waiting(phase, code, signal, expected):
    facts = RunFacts()
    facts.phase, facts.exit_code, facts.signal = phase, code, signal
    assert exit_code(facts) == expected


def test_a_narrow_terminal_loses_optional_columns_from_the_last():
    columns = [
        Column("run", ["digits#1"]),
        Column("name", ["x" * 20], optional=True),
        Column("loss", ["0.1234"], optional=True),
    ]
    assert [column.title for column in fitting(columns, None)] == ["run", "name", "loss"]
    assert [column.title for column in fitting(columns, 38)] == ["run", "name", "loss"]
    assert [column.title for column in fitting(columns, 37)] == ["run", "name"]
    assert [column.title for column in fitting(columns, 5)] == ["run"]
    assert [column.title for column in fitting([Column("名前", ["日本語"]), columns[2]], 14)] == ["名前", "loss"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["list"], "did you mean 'amlnb run list'?"),
        (["submit", "--lr", "0.1", "train.py"], "stand after the script"),
        (["run", "lst"], "--help"),
    ],
)
def test_a_wrong_command_line_says_the_way(capsys, arguments, hint):
    assert main(arguments) == 2
    assert hint in capsys.readouterr().err
