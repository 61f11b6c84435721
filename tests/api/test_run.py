"""Runs as objects: what v1 code reads of them."""

import pandas as pd
import pytest

from amlnb import Experiment, Run, Workspace
from amlnb.errors import UserErrorException


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Experiment(Workspace.find_or_create()[0], "e")


@pytest.fixture
def run(experiment):
    return experiment.start_logging(snapshot_directory=None)


def test_metrics_come_in_v1s_shapes_and_as_series(run):
    for i in range(3):
        run.log("loss", float(i), step=10 * i)
    run.log("note", "text")
    child = run.child_run("kid")
    child.log("x", 1)
    child.complete()
    assert run.get_metrics("loss") == {"loss": [0.0, 1.0, 2.0]}
    assert run.get_metrics("missing") == {}
    assert run.get_metrics(recursive=True) == {run.id: run.get_metrics(), child.id: {"x": 1}}
    series = run.metrics("loss")
    assert (series.index.tolist(), series.tolist(), series.index.name, series.name) == (
        [0, 10, 20],
        [0, 1, 2],
        "step",
        "loss",
    )
    assert isinstance(run.metrics("loss", index="time").index, pd.DatetimeIndex)
    with pytest.raises(UserErrorException, match="did you mean 'loss'"):
        run.metrics("los")


def test_a_run_is_found_again_by_its_id(experiment, run):
    run.tag("k", 1)
    run.complete()
    again = Run(experiment, run.id)
    assert (again.get_status(), again.tags, again.number, again.experiment.name) == ("Completed", {"k": "1"}, 1, "e")
    with pytest.raises(UserErrorException, match="did you mean"):
        Run(experiment, run.id[:-1] + "x")


def test_repr_is_v1s(run):
    assert repr(run) == f"Run(Experiment: e,\nId: {run.id},\nType: None,\nStatus: Running)"


def test_listings_are_filtered_newest_first_and_leave_out_archived_and_children(experiment):
    runs = [experiment.start_logging(snapshot_directory=None) for _ in range(3)]
    runs[1].tag("kind", "good")
    runs[2].child_run("kid").complete()
    runs[0].add_properties({"p": 1})
    assert [found.id for found in experiment.get_runs()] == [found.id for found in reversed(runs)]
    assert [found.id for found in experiment.get_runs(tags="kind")] == [runs[1].id]
    assert [found.id for found in experiment.get_runs(tags={"kind": "good"})] == [runs[1].id]
    assert [found.id for found in experiment.get_runs(properties={"p": "1"})] == [runs[0].id]
    assert len(list(experiment.get_runs(include_children=True))) == 4
    assert [found.display_name for found in runs[2].get_children(status="Completed")] == ["kid"]
    runs[1].archive()
    assert len(list(experiment.get_runs())) == 2
    runs[1].reactivate()
    assert len(list(experiment.get_runs())) == 3


def test_the_table_of_an_experiment(experiment):
    assert experiment.to_dataframe().empty
    for value in (1.0, 2.0):
        with experiment.start_logging(snapshot_directory=None) as run:
            run.log("loss", value)
            run.tag("kind", "x")
    frame = experiment.to_dataframe()
    assert frame["metric.loss"].tolist() == [2.0, 1.0]
    assert frame["tag.kind"].tolist() == ["x", "x"]
    assert frame["number"].tolist() == [2, 1]
    assert str(frame["created"].dtype).startswith("datetime64[ns, UTC")


def test_files_are_downloaded_by_name_and_prefix(run, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    run.upload_file("outputs/a.txt", "a.txt")
    run.upload_file("outputs/deep/b.txt", "a.txt")
    run.download_file("outputs/a.txt", "got/a.txt")
    assert (tmp_path / "got" / "a.txt").read_text() == "a"
    run.download_file("outputs/a.txt", "got")
    run.download_files(prefix="outputs/", output_directory="all", append_prefix=False)
    assert (tmp_path / "all" / "deep" / "b.txt").exists()
    run.download_files(prefix="outputs/deep", output_directory="more")
    assert (tmp_path / "more" / "outputs" / "deep" / "b.txt").exists()
    with pytest.raises(UserErrorException, match=r"it has: outputs/a\.txt"):
        run.download_file("outputs/c.txt")


def test_a_failed_run_tells_its_error(run):
    run.fail("it broke", error_code="Mine")
    assert run.get_status() == "Failed"
    assert run.get_details()["error"]["error"] == {"code": "Mine", "message": "it broke"}
    assert "endTimeUtc" in run.get_details()


def test_a_run_of_this_process_is_canceled_at_once(run):
    run.cancel()
    assert run.get_status() == "Canceled"
    run.complete()
    assert run.get_status() == "Canceled"


def test_start_logging_keeps_a_snapshot(experiment, tmp_path):
    (tmp_path / "code.py").write_text("x = 1")
    run = experiment.start_logging()
    assert run._reader().record["snapshot"]
    run.complete()
