"""What a training script imports loads next to nothing. (How long it takes is measured in benchmarks/.)"""

import subprocess
import sys

import pytest

# Each costs a millisecond or more, and so do the modules they bring.
SLOW = {
    "argparse", "ast", "asyncio", "concurrent", "contextlib", "dataclasses", "inspect", "logging", "multiprocessing",
    "pathlib", "random", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "threading", "traceback", "typing",
    "urllib", "uuid",
}  # fmt: skip
RUN_SIDE = {"api", "core", "errors", "exceptions", "host", "lazy", "overwritten", "tracking", "version"}


@pytest.mark.parametrize("statement", ["import amlnb, azureml.core", "from amlnb import Run", "from azureml.core import Run"])
def test_import_in_a_script_loads_only_the_run_side(statement):
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    ours = {name for name in loaded if name.split(".")[0] in {"amlnb", "azureml"}}
    foreign = {name.split(".")[0] for name in set(loaded) - ours}
    assert foreign - sys.stdlib_module_names == set()
    assert foreign & SLOW == set()
    assert {name.split(".")[1] for name in ours if name.startswith("amlnb.")} <= RUN_SIDE


def test_importing_the_package_loads_nothing_of_it():
    program = "import sys, amlnb; print(*sorted(name for name in sys.modules if name.startswith('amlnb.')))"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert loaded == ["amlnb.lazy", "amlnb.version"]


def test_public_names_are_listed_before_they_are_loaded():
    program = "import amlnb, azureml.core; print(*sorted(set(amlnb.__all__) - set(dir(amlnb))), *sorted(set(azureml.core.__all__) - set(dir(azureml.core))))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == []


def test_unknown_name_is_an_attribute_error():
    import amlnb

    with pytest.raises(AttributeError, match="module 'amlnb' has no attribute 'Runn'"):
        _ = amlnb.Runn
