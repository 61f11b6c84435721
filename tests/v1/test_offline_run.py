"""The run of a script outside of any run: v1's methods and no others."""

import pytest

from amlnb import Run
from amlnb.errors import RunEnvironmentException
from amlnb.tracking.offline import OfflineRun

METHODS = {
    "log", "log_list", "log_row", "log_table", "log_image", "log_residuals", "log_predictions", "log_accuracy_table",
    "log_confusion_matrix", "tag", "set_tags", "add_properties", "upload_file", "upload_files", "upload_folder",
    "child_run", "complete", "fail", "cancel", "flush",
}  # fmt: skip
OURS = {"id", "progress"}


def test_it_has_v1s_methods_and_no_others():
    assert {name for name in dir(Run.get_context()) if not name.startswith("_")} == METHODS | OURS


@pytest.mark.parametrize(
    "name",
    [
        "experiment",
        "parent",
        "get_metrics",
        "input_datasets",
        "get_status",
        "create_children",
        "register_model",
        "name",
    ],
)
def test_what_v1_had_not_is_an_attribute_error(name):
    with pytest.raises(AttributeError):
        getattr(Run.get_context(), name)


def test_ids_of_children():
    run = OfflineRun("OfflineRun_1")
    assert [run.child_run("a").id, run.child_run(name="a").child_run("b").id] == [
        "OfflineRun_1.a",
        "OfflineRun_1.a.b",
    ]


def test_it_may_be_refused():
    with pytest.raises(RunEnvironmentException):
        Run.get_context(allow_offline=False)


def test_an_exception_leaves_a_block_as_it_is(capsys):
    with pytest.raises(ValueError, match="x"), OfflineRun("OfflineRun_1"):
        raise ValueError("x")
    assert capsys.readouterr().out == "[START] Run OfflineRun_1 context\n[STOP] Run OfflineRun_1 context\n"
