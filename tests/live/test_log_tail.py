from amlnb.live.log_tail import LogTail


def texts(tail):
    return tuple(line.text for line in tail.lines)


def test_the_tail_follows_a_growing_file(tmp_path):
    path = tmp_path / "log"
    tail = LogTail(str(path), 3)
    assert not tail.poll()
    with path.open("ab") as file:
        file.write(b"one\ntwo\nthree\nfo")
        file.flush()
        assert tail.poll()
        assert texts(tail) == ("two", "three", "fo")
        assert not tail.poll()
        file.write(b"ur\n\xff\xfe\n")
    assert tail.poll()
    assert texts(tail) == ("three", "four", "\ufffd\ufffd")


def test_ten_gigabytes_of_log_cost_no_more_than_a_block(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    tail = LogTail(str(path), 2)
    tail.poll()
    assert texts(tail)[-1] == "last"


def test_a_line_longer_than_a_block_is_shown_by_its_end(tmp_path):
    path = tmp_path / "log"
    for end in ("", "\n"):
        path.write_text("y" * 100_000 + end)
        tail = LogTail(str(path), 2)
        tail.poll()
        assert len(tail.lines) == 1


def test_the_lines_before_the_tail_are_counted_as_they_come(tmp_path):
    path = tmp_path / "log"
    tail = LogTail(str(path), 3)
    with path.open("ab", buffering=0) as file:
        for number in range(5000):
            file.write(b"line %d\n" % number)
            if number % 7 == 0:
                tail.poll()
                assert tail.earlier == max(0, number - 2)
        tail.poll()
        assert (texts(tail)[0], tail.earlier) == ("line 4997", 4997)
        file.write(b"x" * 3_000_000)
    tail.poll()
    assert tail.earlier is None


def test_a_colour_stays_until_it_is_switched_off(tmp_path):
    path = tmp_path / "log"
    path.write_text("\x1b[31mred\n\nstill\x1b[m\nplain\n")
    tail = LogTail(str(path), 2)
    tail.poll()
    assert [(line.text, [(b, e, style.colour) for b, e, style in line.styles]) for line in tail.lines] == [
        ("still", [(0, 5, 1)]),
        ("plain", []),
    ]


def test_what_moves_up_and_down_again_stays_on_its_line(tmp_path):
    path = tmp_path / "log"
    path.write_text("outer\n\rinner 1\x1b[A\n\rinner 2\x1b[A\n\n\rdeep 1\x1b[A\x1b[A\n\n\rdeep 2\x1b[A\x1b[A")
    tail = LogTail(str(path), 9)
    tail.poll()
    assert texts(tail) == ("outer", "inner 2", "deep 2")
