import pytest

from amlnb.live.log_tail import LogTail
from amlnb.live.progress import shown_progress, told_progress
from amlnb.specs.run_view import Progress


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["  45%|████▌     | 45/100 [00:12<00:14,  3.87it/s]"], (45, 100, None, 14)),
        (["epoch 3:  45%|####5     | 45/100 [00:12<01:02:03,  3.87it/s, loss=0.3]"], (45, 100, "epoch 3", 3723)),
        (["  0%|          | 0/100 [00:00<?, ?it/s]"], (0, 100, None, None)),
        (["100%|██████████| 100/100 [00:12<00:00,  8.1it/s]"], (100, 100, None, 0)),
        (["w:  27%|██▋   | 12.3M/45.6M [00:01<00:03, 10.0MB/s]"], (12.3e6, 45.6e6, "w", 3)),
        (["  9%|▉| 1.20k/12.0k [00:01<00:09, 1.1kB/s]"], (1200, 12000, None, 9)),
        ([" 45%|| 45/100 [00:12<00:14]"], (45, 100, None, 14)),
        (["100%|█| 5/5 [00:12<00:00]", "epoch 2", "  20%|█    | 1/5 [00:01<00:04]"], (1, 5, None, 4)),
        (["  20%|█    | 1/5 [00:01<00:04]", "a word from the script"], (1, 5, None, 4)),
        (
            ["Epoch 3/10", "  12/100 [==>...........................] - ETA: 12s - loss: 0.3"],
            (12, 100, "Epoch 3/10", 12),
        ),
        (["12/100 [==>...........................] - ETA: 1:23 - loss: 0.3"], (12, 100, None, 83)),
        (["100/100 [==============================] - 3s 30ms/step - loss: 0.3"], (100, 100, None, 0)),
        (["Epoch 1/2", "\x20\x2012/100 ━━━━━━━━━━━━━━━━━━━━ 1:23 10ms/step - loss: 0.3"], (12, 100, "Epoch 1/2", 83)),
        (["12/100 ━━╸━━━ 8s 10ms/step"], (12, 100, None, 8)),
    ],
)
def test_a_bar_in_the_log_is_read(lines, shown):
    assert shown_progress(lines) == Progress(*shown)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["epoch 3 of 10, 45% done"],
        ["tests/x.py 12/100 passed"],
        ["12/100 [a list]"],
        ["45it [00:12, 3.87it/s]"],
        ["45%|x| ,./100 [00:12<00:14]"],
        ["100%|█| 5/5 [00:12<00:00]", "something else"],
        ["  20%|█    | 1/5 [00:01<00:04]", "a", "b", "c"],
        ["9%|" * 200],
        ["1" * 400 + "/" + "1" * 90],
    ],
)
def test_what_is_no_bar_is_no_progress(lines):
    assert shown_progress(lines) is None


def event(done, total=100, time=1.0, **more):
    return {"t": "progress", "done": done, "total": total, "time": time, **more}


@pytest.mark.parametrize(
    ("told", "progress"),
    [
        ([], None),
        ([("runner", None), ("0", None)], None),
        ([("0", event(20, begun=10, took=5.0, text="x"))], Progress(20, 100, "x", 40.0)),
        ([("0", event(20))], Progress(20, 100)),
        ([("1", event(30, time=9.0)), ("0", event(20))], Progress(20, 100)),
        ([("0", event(20, time=2.0)), ("0", event(30, time=1.0))], Progress(20, 100)),
        ([("client", event(1)), ("10", event(2)), ("9", event(3))], Progress(3, 100)),
        ([("0", event("20")), ("1", event(1))], Progress(1, 100)),
        ([("0", event(20, total=float("nan")))], None),
        ([("0", event(20, begun=[], took="x", text=3, time="y"))], Progress(20, 100)),
        ([("0", event(100, begun=0, took=5.0))], Progress(100, 100, None, 0.0)),
    ],
)
def test_what_scripts_tell_is_that_of_the_lowest_rank(told, progress):
    assert told_progress(told) == progress


@pytest.mark.parametrize(("done", "total", "fraction"), [(45, 100, 0.45), (12, 10, 1.0), (0, 0, 1.0)])
def test_a_fraction_is_between_nothing_and_all(done, total, fraction):
    assert Progress(done, total).fraction == fraction


def test_a_real_bar_of_tqdm_is_read_from_a_real_log(tmp_path):
    """As its own version writes it here, with what it overwrites."""
    tqdm = pytest.importorskip("tqdm")
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as file:
        bar = tqdm.tqdm(total=200, desc="epoch 2", file=file, mininterval=0, maxinterval=0)
        seen = []
        for _ in range(4):
            bar.update(50)
            file.flush()
            tail = LogTail(str(path), 5)
            tail.poll()
            seen.append(shown_progress([line.text for line in tail.lines]))
        bar.close()
    assert [(each.done, each.total, each.text) for each in seen] == [(n, 200, "epoch 2") for n in (50, 100, 150, 200)]
    assert seen[-1].left_s == 0


def test_bars_inside_of_bars_are_a_line_each_and_the_outer_one_counts(tmp_path):
    tqdm = pytest.importorskip("tqdm")
    path = tmp_path / "log"
    seen = []
    with path.open("w", encoding="utf-8") as file:
        settings = {"file": file, "mininterval": 0, "maxinterval": 0}
        for _ in tqdm.tqdm(range(4), desc="epoch", **settings):
            for _ in tqdm.tqdm(range(100), desc="batch", leave=False, **settings):
                file.flush()
                tail = LogTail(str(path), 8)
                tail.poll()
                seen.append(shown_progress([line.text for line in tail.lines]))
    assert [(each.done, each.text) for each in seen] == [(number // 100, "epoch") for number in range(400)]
    assert len(tail.lines) <= 6
