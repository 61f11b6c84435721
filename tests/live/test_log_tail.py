import pytest

from amlnb.live.log_tail import LogTail, plain_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("10%\r 50%\r100%", "100%"),
        ("a long line\rshort", "shortg line"),
        ("done\r", "done"),
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;3mx\x1b[K", "red x"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("ab\b\bxy", "xy"),
        ("a\tb\x00\x07c", "a   bc"),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_a_line_is_shown_as_a_terminal_leaves_it(raw, shown):
    assert plain_line(raw) == shown


def test_the_tail_follows_a_growing_file(tmp_path):
    path = tmp_path / "log"
    tail = LogTail(str(path), 3)
    assert not tail.poll()
    with path.open("ab") as file:
        file.write(b"one\ntwo\nthree\nfo")
        file.flush()
        assert tail.poll()
        assert tail.lines == ("two", "three", "fo")
        assert not tail.poll()
        file.write(b"ur\n\xff\xfe\n")
    assert tail.poll()
    assert tail.lines == ("three", "four", "\ufffd\ufffd")


def test_ten_gigabytes_of_log_cost_no_more_than_a_block(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    tail = LogTail(str(path), 2)
    tail.poll()
    assert tail.lines[-1] == "last"


def test_a_line_longer_than_a_block_is_shown_by_its_end(tmp_path):
    path = tmp_path / "log"
    path.write_text("y" * 100_000)
    tail = LogTail(str(path), 2)
    tail.poll()
    assert len(tail.lines) == 1
