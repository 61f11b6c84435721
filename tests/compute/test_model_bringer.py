"""The courier's answers to scripts that ask for models."""

import os
import time
from pathlib import Path

import pytest

from amlnb.compute.backend import Job
from amlnb.compute.local import LocalBackend
from amlnb.core.manifest import decode
from amlnb.engine.courier.models import ModelBringer
from amlnb.store.edits import ordered_edits
from amlnb.store.objects import ObjectStore
from amlnb.tracking import create, edits, models
from tests.tracking.conftest import record


@pytest.fixture
def job(tmp_path):
    directory = create.create_run(str(tmp_path / "runs"), record("r"))
    (tmp_path / "m").write_text("weights")
    models.register(str(tmp_path / "models"), {"name": "m", "path": "m", "created": 1.0}, {"m": str(tmp_path / "m")})
    return Job("r", directory, 1, None, str(tmp_path / "objects"), {}, {}, "", {})


def answers(job, *asked):
    for each in asked:
        edits.add_edit(job.directory, {"op": "model_wanted", **each})
    bringer = ModelBringer(job, str(Path(job.directory).parent.parent), LocalBackend(lambda _: 0, lambda: None))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        bringer.step(ordered_edits(job.directory))
        if bringer._thread is None:
            break
        bringer._thread.join()
    return [edit for edit in ordered_edits(job.directory) if edit["op"] == "model_brought"]


@pytest.mark.parametrize(
    "odd",
    [{"id": ["a"], "name": "m"}, {"id": "a"}, {"id": "a", "name": 5}, {"name": "m"}, {"id": "a", "name": "m", "version": "1"}],
)  # fmt: skip
def test_what_is_no_question_is_passed_over(job, odd):
    assert answers(job, odd) == []


def test_a_model_is_brought_once(job):
    (first,) = answers(job, {"id": "a", "name": "m", "version": None})
    assert (first["id"], first["version"], first["path"]) == ("a", 1, "m")
    manifest = decode(ObjectStore(job.objects).read(first["manifest"]), first["manifest"])
    assert list(manifest.files) == ["m"]
    assert answers(job) == [first]


def test_what_cannot_be_brought_is_told(job):
    assert "there is no model 'x' of version 3" in answers(job, {"id": "a", "name": "x", "version": 3})[0]["error"]
    version = next(Path(job.directory).parent.parent.glob("models/*/1"))
    os.unlink(version / "files" / "m")
    assert "is damaged" in answers(job, {"id": "b", "name": "m"})[1]["error"]
