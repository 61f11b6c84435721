"""What a run leaves in a saved notebook: small whatever the run held, and the same each time but for ids and times."""

import json
import math
import os
import re

import nbformat
import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.run_outputs import still_outputs
from amlnb.api.workspace import Workspace
from amlnb.live.run_tail import RunTail

pytestmark = pytest.mark.slow

LIMIT_BYTES = 100_000


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create(str(tmp_path))[0], "n" * 200)


def size(outputs):
    made = [
        nbformat.v4.new_output("display_data", data=dict(each.data), metadata=dict(each.metadata)) for each in outputs
    ]
    return len(json.dumps(made, ensure_ascii=False).encode())


def write_log(run, text):
    os.makedirs(os.path.join(run.directory, "user_logs"), exist_ok=True)
    with open(os.path.join(run.directory, "user_logs", "std_log.txt"), "w", encoding="utf-8") as file:
        file.write(text)


def rainbow(width):
    return "".join(f"\x1b[1;3;4;38;2;{i % 256};{i * 7 % 256};200;48;5;{i % 256}m<" for i in range(width)) + "\n"


NOISE = [math.sin(i * 12.9898) * 43758.5453 % 1 for i in range(2000)]


@pytest.mark.parametrize("end", ["goes on", "completed", "failed"])
def test_a_run_of_many_metrics_long_names_and_long_logs_stays_small(experiment, end):
    run = experiment.start_logging(snapshot_directory=None, display_name="ü" * 5000)
    run.set_tags({f"{i} " + "中" * 300: "<" * 300 for i in range(100)})
    run.add_properties({f"param.{i} " + "&" * 300: '"' * 3000 for i in range(100)})
    for number in range(60):
        for value in NOISE[: 2000 if number < 24 else 20]:
            run.log(f"{number} " + "&" * 2000, value * number)
    run.progress(1, 3, "<" * 1000)
    write_log(
        run,
        rainbow(60) * 500
        + "Traceback (most recent call last):\n"
        + rainbow(30) * 5
        + "<&" * 250
        + "\n"
        + ("<&" * 250 + "\n") * 8,
    )
    if end == "completed":
        run.complete()
    elif end == "failed":
        run.fail("<" * 100_000)
    assert size(still_outputs(RunTail(run.directory))) < LIMIT_BYTES
    run.complete()


def test_a_live_output_of_an_ordinary_run_is_much_smaller(experiment):
    run = experiment.start_logging(snapshot_directory=None)
    for value in NOISE:
        run.log("loss", value)
        run.log("val_loss", value + 1)
    assert size(still_outputs(RunTail(run.directory))) < LIMIT_BYTES * 0.6
    run.complete()
    assert size(still_outputs(RunTail(run.directory))) < LIMIT_BYTES * 0.6


def normal(text, run):
    """Without what is told of one run alone: its id, and how long it took."""
    text = text.replace(run.id, "ID").replace(run.id[:8], "ID")
    return re.sub(r"\b\d+\.\d s\b", "TIME", text)


def test_the_same_training_leaves_the_same_text_but_for_ids_and_times(experiment):
    texts = []
    for _ in range(2):
        run = experiment.start_logging(snapshot_directory=None, display_name="softmax")
        for step, value in enumerate(NOISE[:100]):
            run.log("loss", value, step=step)
        write_log(run, "\x1b[31mepoch 1\x1b[0m\n" * 30)
        run.complete()
        bundles = [dict(output.data) for output in still_outputs(RunTail(run.directory))]
        assert bundles[0].pop("image/png")
        texts.append(normal(json.dumps(bundles), run))
    assert texts[0] == texts[1]
