"""docs/azureml-coverage.md tells what is so, and the goal is met: what is used twice or more is served."""

import importlib.util
from pathlib import Path

import pytest

from amlnb.api import v1_names

_spec = importlib.util.spec_from_file_location("coverage_page", Path(__file__).with_name("coverage.py"))
coverage_page = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(coverage_page)

# Used twice or more, and not served: each with its reason.
_DATA = "datastores have an issue of their own"
_EXPLAIN = "of a package of its own, azureml-interpret, which needs Azure"
_EMPTY = "always empty until its issue"
EXCEPTIONS = {
    "Run.input_datasets": _EMPTY,
    "Workspace.datasets": _EMPTY,
    "Workspace.images": _EMPTY,
    "Workspace.images.items()": _EMPTY,
    "Workspace.webservices": _EMPTY,
    "Workspace.webservices.items()": _EMPTY,
    "Estimator.__init__()": "inputs are datasets",
    "Experiment.submit()": "pipelines have an issue of their own",
    "Workspace.get_default_datastore()": _DATA,
    "Workspace.get_mlflow_tracking_uri()": "MLflow has an issue of its own",
    "Run.explanation_manager": _EXPLAIN,
    "Run.counterfactual_manager": _EXPLAIN,
    "Run.explanation_manager.list()": _EXPLAIN,
    "Run.explanation_manager.download_by_id()": _EXPLAIN,
    "Run.counterfactual_manager.list()": _EXPLAIN,
    "Run.counterfactual_manager.download_by_id()": _EXPLAIN,
    "Run.get_best_run_by_primary_metric()": "of HyperDrive's runs, which have an issue of their own",
    "Run._get_outputs_datapath()": _DATA,
    "Model.deploy()": "needs Azure",
    "Model.profile()": "needs Azure",
}


def test_the_page_is_current():
    assert coverage_page.PAGE.read_text(encoding="utf-8") == coverage_page.page(), "run `make coverage`"


def test_what_is_used_twice_or_more_is_served():
    lacking = {
        f"{use.owner}.{use.member}": use.status
        for use in coverage_page.served_classes(v1_names.uses())
        if use.every > 1 and use.status.word != v1_names.SERVED
    }
    assert {name: status for name, status in lacking.items() if name not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) <= set(lacking)


@pytest.mark.parametrize("module", v1_names.table()["imports"])
def test_every_import_that_was_seen_works(module):
    for name in v1_names.table()["imports"][module]:
        assert v1_names.status_of_import(module, name).word != v1_names.UNKNOWN
    assert v1_names.status_of_import(module).word != v1_names.UNKNOWN


@pytest.mark.parametrize(
    ("signature", "names"),
    [
        ("(path=None, auth=None)", ["path", "auth"]),
        ("(source_directory, *, compute_target=None)", ["source_directory", "compute_target"]),
        ("(*args, **kwargs)", []),
        ("(use_docker=False, arguments=[], shm_size=_DEFAULT)", ["use_docker", "arguments", "shm_size"]),
        ("(separator=',', header=A.B, kind=f(1, 2))", ["separator", "header", "kind"]),
        ("(name, auth=None, subscript", ["name", "auth"]),
        ("", []),
    ],
)
def test_parameters_are_read_from_a_signature(signature, names):
    assert list(v1_names._parameters(signature)) == names
