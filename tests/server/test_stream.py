"""The stream over a real WebSocket, of real runs."""

import asyncio

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.server.served import Served
from amlnb.store.known_workspaces import key_of
from tests.server.stream_page import page_at, serving


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


@pytest.fixture
def key(workspace, tmp_path):
    return key_of(str(tmp_path / ".amlnb"))


@pytest.fixture
def served(workspace, tmp_path):
    return Served(str(tmp_path))


def start(workspace, experiment="stream"):
    return Experiment(workspace, experiment).start_logging(snapshot_directory=None)


def test_points_of_a_running_run_come_as_they_are_logged(workspace, key, served):
    run = start(workspace)
    run.log("loss", 1.0, step=0)

    async def story():
        async with serving(served) as (_, port), page_at(port) as page:
            found = await page.subscribe(7, key, run.id)
            await page.until(lambda: found.values("loss") == [1.0])
            assert found.state == "Running"
            for step in range(1, 50):
                run.log("loss", 1.0 / (step + 1), step=step)
                run.log("accuracy", step)
            await page.until(lambda: len(found.values("loss")) == 50 and len(found.values("accuracy")) == 49)
            assert found.columns["loss"][0].tolist() == list(range(50))
            run.complete()
            await page.until(lambda: found.state == "Completed")
            assert (found.resets, found.gone, page.problems) == (0, None, [])

    asyncio.run(story())
