"""What a training script imports loads next to nothing. (How long it takes is measured in benchmarks/.)"""

import json
import subprocess
import sys

import pytest

# Everything that the run side may load besides itself: what its readers and writers are made of.
CHEAP = {
    "__future__", "_hashlib", "_blake2", "_json", "_struct", "atexit", "errno", "hashlib", "json", "json.decoder",
    "json.encoder", "json.scanner", "struct",
    # `json` and `hashlib` bring these
    "_opcode", "_sre", "copyreg", "enum", "functools", "keyword", "operator", "re", "re._casefix", "re._compiler",
    "re._constants", "re._parser", "reprlib", "collections", "collections.abc", "types", "_collections", "_functools",
    "_operator",
}  # fmt: skip


@pytest.mark.parametrize("statement", ["import amlnb", "from amlnb import Run", "from azureml.core import Run", "import azureml.core"])
def test_import_in_a_script_loads_only_the_run_side(statement):
    program = f"import sys; before = set(sys.modules); {statement}; import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", program], text=True))
    ours = {name for name in loaded if name.split(".")[0] in {"amlnb", "azureml"}}
    assert set(loaded) - ours - CHEAP == set()
    assert {name.split(".")[1] for name in ours if name.count(".")} <= {
        "api", "core", "errors", "exceptions", "host", "lazy", "tracking", "version",
    }  # fmt: skip


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
        amlnb.Runn
