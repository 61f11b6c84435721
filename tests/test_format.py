"""The format of a run directory, held by a golden one that is kept in the repository.

Whatever changes here changes what people's files mean: then the format's number goes up, and the old one stays readable.
"""

import math
import re
import shutil
from pathlib import Path

import pytest

from amlnb.core import layout
from amlnb.errors import FormatError, UserErrorException
from amlnb.store import files
from amlnb.store.run_reader import RunReader

ROOT = Path(__file__).resolve().parent.parent
RUN_ID = "golden_1700000000_0000cafe"
GOLDEN = ROOT / "tests" / "golden" / "runs" / layout.run_directory_name("golden", RUN_ID)


@pytest.fixture
def reader():
    reader = RunReader(str(GOLDEN))
    reader.refresh()
    return reader


def documented_reader():
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL).group(1)
    assert len(code.strip().splitlines()) <= 32
    namespace = {}
    exec(code, namespace)
    return namespace["read_metrics"]


def test_the_thirty_lines_of_numpy_in_the_documentation_read_a_run():
    found = documented_reader()(GOLDEN)
    assert [(step, value) for step, _, value in found["loss"]] == [(i, 1 / (i + 1)) for i in range(5)] + [(5, 0.125)]
    assert found["epoch"][0][2] == 3
    assert found["good"][0][2] is True
    assert found["nothing"][0][2] is None
    assert math.isnan(found["not a number"][0][2])
    assert found["text"][0][2] == "ünïcode\nand <b>lines</b>"
    assert found["huge"][0][2] == 2**80
    assert found["row"][1][2] == {"x": 2, "y": "b"}


def test_our_reader_gives_the_same_in_v1s_shapes(reader):
    metrics = reader.metrics()
    assert math.isnan(metrics.pop("not a number"))
    assert metrics == {
        "loss": [1.0, 0.5, 1 / 3, 0.25, 0.2, 0.125],
        "epoch": 3,
        "good": True,
        "nothing": None,
        "infinite": float("-inf"),
        "text": "ünïcode\nand <b>lines</b>",
        "huge": 2**80,
        "half": 1.5,
        "list": [1, 2.5, None],
        "row": {"x": [1, 2], "y": ["a", "b"]},
        "table": {"a": [1, 2], "b": ["x", "y"]},
        "matrix": f"aml://artifactId/ExperimentRun/dcid.{RUN_ID}/matrix",
    }
    assert reader.series("half").step.tolist() == [0.5]


def test_damage_is_passed_over_and_counted(reader):
    # One slot with a wrong magic and one line that is no event; the torn tails wait for their rest.
    assert reader.skipped == 2


def test_edits_and_states_are_folded_in_their_order(reader):
    facts = reader.facts()
    assert (facts.state, facts.attempt, facts.sealed, facts.exit_code) == ("Completed", 1, True, 0)
    assert facts.tags == {"best": "4"}
    assert facts.properties == {"fixed": "yes", "later": "added"}
    assert facts.display_name == "the golden run"
    assert facts.warnings == ["something to know"]
    assert facts.started == 1700000003.5


def test_files_have_their_names(reader):
    assert list(files.list_files(str(GOLDEN))) == [
        "azureml-logs/70_driver_log.txt",
        "matrix",
        "outputs/model.txt",
        "user_logs/std_log.txt",
    ]


def test_the_seal_names_the_size_of_every_file(reader):
    for name, size in reader.final["sizes"].items():
        assert (GOLDEN / name).stat().st_size == size
    assert len(reader.final["sizes"]) == 7


def test_a_newer_format_is_refused_by_its_number(tmp_path):
    copy = tmp_path / GOLDEN.name
    shutil.copytree(GOLDEN, copy)
    record = copy / "run.json"
    record.write_text(record.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(FormatError, match="has format 2, and this amlnb reads up to 1"):
        RunReader(str(copy))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 3, "experiment": "e"}', '{"id": "a", "experiment": "e"}'])
def test_a_damaged_record_is_refused_by_its_path(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(FormatError, match=r"run\.json"):
        RunReader(str(tmp_path))


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserErrorException, match="not a run directory"):
        RunReader(str(tmp_path))
