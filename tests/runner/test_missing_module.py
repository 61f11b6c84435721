"""A module that a run does not find: which package has it, and the line to add it with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.core.distributions import DISTRIBUTIONS, known_distribution
from amlnb.runner import missing_module, verdict

CELL = {"notebook.cell_line": "7"}
ENVIRONMENTS = {
    "the workspace's Python": (None, "/p/bin/python -m pip install opencv-python"),
    "requirements": (
        {"origin": "requirements.txt", "pip": ["numpy"]},
        "add the line 'opencv-python' to requirements.txt",
    ),
    "conda": (
        {"origin": "env/environment.yml", "conda": ["numpy"]},
        "add '- opencv-python' below '- pip:' in env/environment.yml",
    ),
    "words": (
        {"origin": "--env", "python": "3.11", "pip": ["torch==2.13.0"]},
        "--env python=3.11,torch==2.13.0,opencv-python",
    ),
    "words with signs": (
        {"origin": "--env", "python": ">=3.10", "pip": ["numpy<2"]},
        '--env "python>=3.10,numpy<2,opencv-python"',
    ),
    "metadata": (
        {"origin": "the metadata of train.py", "pip": ["numpy"]},
        "add 'opencv-python' to the dependencies in the metadata of train.py",
    ),
    "a table": (
        {"origin": "[tool.amlnb.env] of pyproject.toml"},
        "add 'opencv-python' to packages of [tool.amlnb.env] of pyproject.toml",
    ),
    "existing": ({"origin": "/e", "interpreter": "/e"}, "/p/bin/python -m pip install opencv-python"),
    "an image": (
        {"origin": "docker:x:1", "image": "x:1"},
        "the image x:1 does not have it: a Dockerfile 'FROM x:1' with 'RUN python3 -m pip install opencv-python' makes one that has",
    ),
    "a Dockerfile": (
        {"origin": "Dockerfile", "dockerfile": "FROM x"},
        "add the line 'RUN python3 -m pip install opencv-python' to Dockerfile",
    ),
    "registered": (
        {"name": "mine", "version": "2", "origin": "requirements.txt"},
        "environment.python.conda_dependencies.add_pip_package('opencv-python') on the environment 'mine', then register it again",
    ),
    "curated": (
        {"name": "AzureML-Minimal", "version": "1", "origin": "AzureML-Minimal"},
        "AzureML-Minimal does not have it; take a copy: environment = Environment.get(workspace, 'AzureML-Minimal').clone('mine'), then environment.python.conda_dependencies.add_pip_package('opencv-python')",
    ),
    "made in code": (
        {"name": "mine", "origin": "the environment 'mine'"},
        "environment.python.conda_dependencies.add_pip_package('opencv-python')",
    ),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_line_is_that_of_the_runs_own_definition(name):
    environment, line = ENVIRONMENTS[name]
    definition = {"interpreter": "/p/bin/python", **({"environment": environment} if environment else {})}
    told = missing_module.advice("ModuleNotFoundError", "No module named 'cv2'", {"definition": definition})
    assert told == line


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("No module named 'cv2'", "%pip install opencv-python"),
        ("No module named cv2", "%pip install opencv-python"),
        ("No module named 'sklearn'", "%pip install scikit-learn"),
        ("No module named 'transformers'", "%pip install transformers"),
        ("No module named 'pkg_resources'", '%pip install "setuptools<81"'),
        ("No module named 'distutils'", "%pip install setuptools"),
        ("No module named 'ruamel'", "%pip install ruamel.yaml"),
        ("No module named 'google.protobuf'", "%pip install protobuf"),
        ("No module named 'google.cloud.storage'", "%pip install google-cloud-storage"),
        (
            "No module named 'sklearn.externals'",
            "sklearn is there, and has no sklearn.externals: another version of scikit-learn may have it",
        ),
        (
            "No module named 'torchtext.legacy'",
            "torchtext is there, and has no torchtext.legacy: another version of torchtext may have it",
        ),
        (
            "No module named 'torch.nn'; 'torch' is not a package",
            "a file torch.py, or a module of that name, stands in the way of the package torch: rename it",
        ),
        (
            "No module named 'azureml.train.automl'",
            "amlnb does not have azureml.train.automl, a part of Azure ML's SDK that works only with the cloud",
        ),
        ("No module named 'imp'", "imp left Python with 3.12: take an older Python, or another module"),
        ("No module named 'urllib2'", "urllib2 is a module of Python 2: the code must be changed for Python 3"),
        ("No module named '_tkinter'", "this Python was built without _tkinter: take another Python for the run"),
        ("No module named 'utils'", "utils looks like a file of your own: '--with utils.py' takes it along"),
        ("cannot import name 'x' from 'y'", None),
    ],
)
def test_what_is_told_of_a_missing_module(message, told):
    assert missing_module.advice("ImportError", message, {"properties": CELL}) == told


def test_other_errors_get_no_such_advice():
    assert missing_module.advice("ValueError", "No module named 'cv2'", {}) is None


def test_a_file_of_ones_own_that_a_script_misses_belongs_into_its_folder():
    told = missing_module.advice("ModuleNotFoundError", "No module named 'utils'", {})
    assert told == "utils looks like a file of your own: it must lie in the source directory"


def test_a_failed_run_has_the_advice_as_its_hint():
    failures = [{"pid": 7, "type": "ModuleNotFoundError", "message": "No module named 'yaml'", "frames": []}]
    record = {"definition": {"environment": {"origin": "requirements.txt", "pip": ["numpy"]}}}
    error = verdict.judge(1 << 8, None, None, 0, failures, 7, record)["error"]
    assert error["message"] == "ModuleNotFoundError: No module named 'yaml'"
    assert error["hint"] == "add the line 'pyyaml' to requirements.txt"


DAMAGED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["definition", "environment", "properties", "pip", "python", "origin", "name"]), inner
        )
    ),
    max_leaves=8,
)


@given(DAMAGED, st.from_regex(r"No module named '[\w.]{1,8}'", fullmatch=True))
@settings(deadline=None)
def test_a_damaged_record_never_costs_the_verdict(document, message):
    missing_module.advice("ImportError", message, document if isinstance(document, dict) else {})


def test_what_is_known_differs_from_the_modules_own_name():
    for module, distribution in DISTRIBUTIONS.items():
        assert module.lower().replace("_", "-") != distribution.lower()
        assert known_distribution(f"{module}.deeper") == distribution
