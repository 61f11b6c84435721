"""`Environment` and its sections: v1's facts, and what becomes of them."""

import contextlib
import dataclasses
import json
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlnb import CondaDependencies, Environment, Workspace
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.specs.environment_spec import CONDA, CONTAINER, EXISTING, PIP, WORKSPACE, EnvironmentSpec

OWN = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workspace(here):
    return Workspace.find_or_create(str(here))[0]


def with_packages(name="x", **lists):
    made = Environment(name)
    made.python.conda_dependencies = CondaDependencies.create(**lists)
    return made


def test_a_bare_environment_is_as_in_v1():
    bare = Environment("x")
    assert (bare.name, bare.version) == ("x", None)
    assert (bare.python.user_managed_dependencies, bare.python.interpreter_path) == (False, "python")
    assert bare.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
    assert bare.docker.base_image.startswith("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:")
    assert (bare.docker.enabled, bare.docker.shm_size, bare.docker.arguments) == (False, "2g", [])
    assert (bare.docker.shared_volumes, bare.docker.gpu_support) == (True, True)
    assert list(bare.python.conda_dependencies.pip_packages) == ["azureml-defaults"]
    shown = json.loads(repr(bare))
    assert shown["python"]["condaDependencies"]["dependencies"][0] == "python=3.8.13"
    assert shown["docker"]["baseImage"] == bare.docker.base_image
    assert shown["environmentVariables"] == bare.environment_variables


@pytest.mark.parametrize("name", ["x", "a b/../c", "日本 \n", "AzureML-mine", "--help", "x" * 500])
def test_any_text_is_a_name(name):
    assert Environment(name).to_spec().name == name


@pytest.mark.parametrize("name", ["", " ", None])
def test_no_text_is_no_name(name):
    with pytest.raises(UserErrorException, match="the name of an environment is"):
        Environment(name)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("", "pyhton"),
        ("", "enviroment_variables"),
        ("python", "user_managed_dependancies"),
        ("docker", "base_img"),
        ("spark", "package"),
    ],
)
def test_a_misspelled_attribute_raises(part, name):
    section = getattr(Environment("x"), part) if part else Environment("x")
    with pytest.raises(AttributeError, match=f"has no attribute {name!r}"):
        setattr(section, name, 1)
    with pytest.raises(AttributeError, match=f"has no attribute {name!r}"):
        getattr(section, name)


@pytest.mark.parametrize(("name", "value"), [("enabled", True), ("arguments", ["--gpus"]), ("shm_size", "4g")])
def test_old_settings_of_docker_warn_and_are_kept(name, value):
    made = Environment("x")
    with pytest.warns(DeprecationWarning, match=f"environment.docker.{name} is deprecated"):
        setattr(made.docker, name, value)
    assert getattr(made.docker, name) == value


def test_what_is_of_no_meaning_here_is_accepted():
    made = Environment("x")
    made.inferencing_stack_version = "latest"
    made.spark.precache_packages = False
    made.docker.gpu_support = False
    made.docker.shared_volumes = False
    made.python.base_conda_environment = "base"
    made.r = None
    assert made.to_spec().kind == WORKSPACE


def settings_of(**python):
    made = Environment("x")
    for name, value in python.items():
        setattr(made.python, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "kind", "fields"),
    [
        (lambda: Environment("x"), WORKSPACE, {}),
        (lambda: with_packages(python_version="3.6.2"), WORKSPACE, {"python": None}),
        (lambda: with_packages(pip_packages=["azureml-sdk", "azureml-train"]), WORKSPACE, {}),
        (lambda: settings_of(user_managed_dependencies=True), WORKSPACE, {"interpreter": None}),
        (
            lambda: settings_of(user_managed_dependencies=True, interpreter_path="/opt/python"),
            EXISTING,
            {"interpreter": "/opt/python"},
        ),
        (lambda: settings_of(interpreter_path="/opt/python"), WORKSPACE, {"interpreter": None}),
        (
            lambda: with_packages(pip_packages=["azureml-defaults", "numpy==2.0"]),
            PIP,
            {
                "pip": ("numpy==2.0",),
                "python": None,
                "news": ("azureml-defaults is served by amlnb and was not installed",),
            },
        ),
        (
            lambda: with_packages(pip_packages=["numpy"], python_version="3.6.2"),
            PIP,
            {"python": "3.6.2", "python_is_soft": True},
        ),
        (
            lambda: with_packages(pip_packages=["a"], conda_packages=["scikit-learn=0.22.1"]),
            CONDA,
            {"conda": ("scikit-learn=0.22.1",), "pip": ("a",), "channels": ("anaconda", "conda-forge")},
        ),
        (
            lambda: with_packages(pip_packages=["a"], pip_indexurl="https://u:p@h.invalid/s"),
            PIP,
            {"pip_options": ("--index-url https://h.invalid/s",), "credentials": {"h.invalid": "u:p"}},
        ),
    ],
)
def test_what_is_asked_for(made, kind, fields):
    spec = made().to_spec()
    assert spec.kind == kind
    assert {name: getattr(spec, name) for name in fields} == fields
    assert spec.name == "x"


def test_strict_pins_are_not_soft():
    made = with_packages(pip_packages=["a"], python_version="3.6.2")
    made.strict = True
    spec = made.to_spec()
    assert (spec.strict, spec.python, spec.python_is_soft) == (True, "3.6.2", False)


def test_a_python_that_nothing_is_built_for_is_told():
    assert with_packages(python_version="3.6.2").to_spec().notes == (
        f"Python 3.6.2 and no package is asked for: the run has the workspace's own Python, {OWN}",
    )
    assert with_packages(python_version=f"{OWN}.1").to_spec().notes == ()
    assert Environment("x").to_spec().notes == ()


def test_variables_are_those_that_were_set():
    made = Environment("x")
    made.environment_variables["A"] = 1
    assert made.to_spec().variables == {"A": "1"}
    made.environment_variables = {"EXAMPLE_ENV_VAR": "mine"}
    assert made.to_spec().variables == {"EXAMPLE_ENV_VAR": "mine"}


def test_from_conda_specification(here):
    (here / "env.yml").write_text(
        "name: n\nchannels: [pytorch]\ndependencies:\n- pytorch=1.4\n- pip:\n  - -r deep/more.txt\n"
    )
    (here / "deep").mkdir()
    (here / "deep" / "more.txt").write_text("b==2\n")
    made = Environment.from_conda_specification("x", "env.yml")
    assert made.python.conda_dependencies.python_version == "3.10.18"
    spec = made.to_spec()
    assert (spec.conda, spec.pip, spec.channels, spec.python) == (("pytorch=1.4",), ("b==2",), ("pytorch",), None)
    assert spec.origin == "env.yml"


def test_from_pip_requirements(here):
    (here / "r.txt").write_text("-c c.txt\nazureml-core\nnumpy>=1\n--index-url https://u:p@h.invalid/s\n")
    (here / "c.txt").write_text("numpy<3\n")
    made = Environment.from_pip_requirements("x", "r.txt", pip_version="20.1")
    made.python.conda_dependencies.add_pip_package("pandas")
    for each in (made, made.clone("x")):
        spec = each.to_spec()
        assert (spec.pip, spec.constraints, spec.origin) == (("numpy>=1", "pandas"), ("numpy<3",), "r.txt")
        assert (spec.pip_options, spec.credentials) == (("--index-url https://h.invalid/s",), {"h.invalid": "u:p"})
    with pytest.raises(UserErrorException, match=r"nowhere\.txt cannot be read"):
        Environment.from_pip_requirements("x", "nowhere.txt")


def test_a_conda_dependencies_file_stands_in_place_of_the_packages(here):
    (here / "env.yml").write_text("dependencies: [python=3.7, numpy]")
    made = settings_of(conda_dependencies_file="env.yml")
    assert made.to_spec().conda == ("numpy",)


def test_from_existing_conda_environment(here, monkeypatch, capsys):
    prefix = here / "conda" / "envs" / "old"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv("CONDA_ENVS_PATH", str(here / "conda" / "envs"))
    found = Environment.from_existing_conda_environment("x", "old")
    assert found.to_spec().interpreter == str(prefix)
    assert found.python.user_managed_dependencies
    assert Environment.from_existing_conda_environment("x", "new") is None
    assert "there is no conda environment 'new'\nhint: there are: old" in capsys.readouterr().out


@pytest.mark.parametrize(
    "image",
    [
        "mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04",
        "mcr.microsoft.com/azureml/base-gpu:openmpi3.1.2-cuda10.0-cudnn7-ubuntu16.04",
        None,
    ],
)
def test_v1s_base_images_are_no_container(image):
    made = with_packages(pip_packages=["a"])
    made.docker.base_image = image
    assert made.to_spec().kind == PIP


@pytest.mark.parametrize(
    "image", ["mine:1", "mcr.microsoft.com/azureml/curated/sklearn:3", "mcr.microsoft.com/other:1"]
)
def test_other_images_are(image):
    made = Environment.from_docker_image("x", image)
    assert made.python.user_managed_dependencies
    spec = made.to_spec()
    assert (spec.kind, spec.image, spec.dockerfile) == (CONTAINER, image, None)


def test_an_image_of_a_registry(here):
    from azureml.core.container_registry import ContainerRegistry

    registry = ContainerRegistry()
    registry.address, registry.username, registry.password = "r.invalid", "user", "secret"
    made = Environment.from_docker_image("x", "team/mine:1", container_registry=registry)
    spec = made.to_spec()
    assert (spec.image, spec.credentials) == ("r.invalid/team/mine:1", {"r.invalid": "user:secret"})
    made.save_to_directory("saved")
    for text in (repr(made), (here / "saved" / "azureml_environment.json").read_text(), json.dumps(spec.to_dict())):
        assert "r.invalid" in text
        assert "secret" not in text


def test_packages_are_added_to_an_image(here):
    (here / "r.txt").write_text("numpy>=1 ; python_version > '3'\n-c c.txt\n")
    (here / "c.txt").write_text("numpy<3\n")
    (here / "env.yml").write_text("dependencies: [python=3.7, pytorch=1.4, cudatoolkit]")
    spec = Environment.from_docker_image("x", "mine:1", pip_requirements="r.txt").to_spec()
    assert spec.image is None
    assert spec.dockerfile.startswith("FROM mine:1\nRUN printf '%s\\n' 'numpy<3' > /tmp/constraints.txt && ")
    assert "-r /tmp/requirements.txt -c /tmp/constraints.txt" in spec.dockerfile
    assert (spec.pip, spec.conda, spec.python, spec.constraints) == ((), (), None, ())
    spec = Environment.from_dockerfile("x", "FROM a\nENV B=c", conda_specification="env.yml").to_spec()
    assert spec.dockerfile.startswith("FROM a\nENV B=c\nRUN printf '%s\\n' 'torch==1.4.*' > /tmp/requirements.txt")
    assert any("cudatoolkit" in note for note in spec.notes)
    with pytest.raises(UserErrorException, match="were both given"):
        Environment.from_docker_image("x", "m", conda_specification="env.yml", pip_requirements="r.txt")


def test_a_dockerfile_is_given_by_its_text_or_its_path(here):
    (here / "Dockerfile").write_text("FROM a\n")
    for given_ in ("Dockerfile", "FROM a\n", str(here / "Dockerfile")):
        assert Environment.from_dockerfile("x", given_).to_spec().dockerfile == "FROM a\n"
    assert Environment.from_dockerfile("x", "from a").to_spec().dockerfile == "from a"
    with pytest.raises(UserErrorException, match="the Dockerfile 'Dokerfile' cannot be read"):
        Environment.from_dockerfile("x", "Dokerfile").to_spec()


def test_an_image_and_a_dockerfile_contradict_each_other():
    made = Environment.from_docker_image("x", "mine:1")
    made.docker.base_dockerfile = "FROM a"
    with pytest.raises(UserErrorException, match=r"'mine:1'.* were both given"):
        made.to_spec()


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ({"conda_packages": ["r-base"]}, "r-base cannot be added to an image"),
        ({"pip_packages": ["/"]}, "'/' cannot be added to an image: it is a path of this machine"),
    ],
)
def test_what_no_image_can_be_given_is_told(lists, told):
    made = with_packages(**lists)
    made.docker.base_image = "mine:1"
    with pytest.raises(UserErrorException, match=told):
        made.to_spec()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Environment.from_docker_image("x", ""), "the image is ''"),
        (lambda: Environment.from_docker_image("x", "not an image").to_spec(), "'not an image' is no name of an image"),
        (lambda: Environment.from_dockerfile("x", " "), "the Dockerfile is ' '"),
        (lambda: Environment("x").clone(""), "the name of an environment is ''"),
    ],
)
def test_what_is_no_text_is_refused(call, told):
    with pytest.raises(UserErrorException, match=told):
        call()


def test_sections_take_only_what_they_are_for():
    with pytest.raises(UserErrorException, match="conda_dependencies is a dict"):
        Environment("x").python.conda_dependencies = {}


def test_a_clone_is_its_own():
    made = with_packages(pip_packages=["a"])
    copy = made.clone("y")
    copy.python.conda_dependencies.add_pip_package("b")
    assert (copy.name, copy.version) == ("y", None)
    assert made.to_spec().pip == ("a",)
    assert copy.to_spec().pip == ("a", "b")


def test_a_saved_environment_is_the_same_when_loaded(here):
    made = with_packages(pip_packages=["a==1"], conda_packages=["b"], python_version="3.6.2")
    made.environment_variables = {"A": "b"}
    made.strict = True
    with warnings.catch_warnings(action="ignore"):
        made.docker.enabled = True
    made.save_to_directory("saved")
    assert sorted(path.name for path in (here / "saved").iterdir()) == [
        "azureml_environment.json",
        "conda_dependencies.yml",
    ]
    read = Environment.load_from_directory("saved")
    assert repr(read) == repr(made)
    assert read.to_spec() == made.to_spec()
    assert CondaDependencies("saved/conda_dependencies.yml").as_dict() == made.python.conda_dependencies.as_dict()
    with pytest.raises(
        UserErrorException, match=r"there is 'azureml_environment.json' in 'saved' already\nhint: pass over"
    ):
        made.save_to_directory("saved")
    made.save_to_directory("saved", overwrite=True)
    Environment.from_docker_image("x", "mine").save_to_directory("image")
    assert [path.name for path in (here / "image").iterdir()] == ["azureml_environment.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is no azureml_environment.json in 'saved'"),
        ("{", "is damaged"),
        ("[]", "is no environment"),
        ("{}", "is no environment"),
    ],
)
def test_a_folder_without_an_environment_is_told(here, text, told):
    (here / "saved").mkdir()
    if text is not None:
        (here / "saved" / "azureml_environment.json").write_text(text)
    with pytest.raises(UserErrorException, match=told):
        Environment.load_from_directory("saved")


PACKAGES = st.lists(
    st.from_regex(r"[a-z]{3,6}(==[1-9]\.[0-9])?", fullmatch=True),
    max_size=4,
    unique_by=lambda text: text.partition("=")[0],
)
SPECS = st.builds(
    EnvironmentSpec,
    name=st.text(min_size=1).filter(str.strip),
    origin=st.just("r.txt"),
    python=st.sampled_from([None, "3.11", "3.6.2", ">=3.9"]),
    python_is_soft=st.booleans(),
    pip=PACKAGES.map(tuple),
    pip_options=st.sampled_from([(), ("--pre",), ("--extra-index-url https://h.invalid/s", "--pre")]),
    constraints=PACKAGES.map(tuple),
    conda=PACKAGES.map(lambda names: tuple(text.replace("==", "=") for text in names)),
    channels=st.sampled_from([(), ("defaults", "pytorch")]),
    use_conda=st.booleans(),
    variables=st.dictionaries(st.sampled_from(["A", "B"]), st.text()),
    strict=st.booleans(),
)


@given(SPECS)
def test_a_specification_comes_back_as_it_was(spec):
    assert Environment.from_spec(spec).to_spec() == spec


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECS)
def test_a_specification_survives_the_file(here, spec):
    made = Environment.from_spec(spec)
    made.save_to_directory("saved", overwrite=True)
    read = Environment.load_from_directory("saved")
    assert repr(read) == repr(made)
    if spec.pip and not (spec.python_is_soft and spec.strict):
        soft = spec.python_is_soft and spec.python is not None
        assert read.to_spec() == dataclasses.replace(spec, python_is_soft=soft)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["numpy", "python=3.7"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["pip", "dependencies", "channels", "a"]), inner, max_size=3)
    ),
)
KEYS = st.sampled_from(["docker", "python", "version", "environmentVariables", "amlnb", "inferencingStackVersion"])
DOCUMENTS = st.dictionaries(
    KEYS,
    VALUES
    | st.dictionaries(
        st.sampled_from(
            ["condaDependencies", "baseImage", "arguments", "interpreterPath", "baseImageRegistry", "constraints"]
        ),
        VALUES,
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS)
def test_whatever_a_file_holds_only_our_errors_are_raised(here, document):
    (here / "azureml_environment.json").write_text(json.dumps({**document, "name": "x"}))
    read = Environment.load_from_directory(str(here))
    with contextlib.suppress(AmlnbError):
        read.to_spec()
    repr(read)
