"""Conda's environment files: what they say, with the line where something in them cannot be meant."""

import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.environments import conda_match, conda_text, conda_versions
from amlnb.environments.conda_match import CondaPackage
from amlnb.errors import AmlnbError, UserErrorException

ENVIRON = {"TOKEN": "s3cret"}
PYTORCH = """\
name: project_environment
channels: [defaults, pytorch]
dependencies:
- python=3.6.2
- pytorch
- torchvision
- pip:
  - azureml-sdk
"""


def parse(text, folder="/nowhere"):
    return conda_text.parse(text, "environment.yml", str(folder), ENVIRON)


def test_the_usual_file_of_v1():
    found = parse(PYTORCH)
    assert found.to_dict() == {
        "origin": "environment.yml",
        "python": "3.6.2",
        "python_is_soft": True,
        "conda": ["pytorch", "torchvision"],
        "channels": ["defaults", "pytorch"],
        "news": ["azureml-sdk is served by amlnb and was not installed"],
    }


def test_everything_that_a_file_may_say(tmp_path):
    (tmp_path / "channel").mkdir()
    (tmp_path / "more.txt").write_text("pandas\n-c pins.txt")
    (tmp_path / "pins.txt").write_text("pandas<3")
    (tmp_path / "environment.yml").write_text("""\
name: mine
prefix: /home/me/envs/mine
channels:
  - conda-forge
  - ./channel
  - https://me:${TOKEN}@h.example/t/${TOKEN}/chan
  - conda-forge
dependencies:
  - python=3.10
  - pip
  - conda-forge::numpy >=1.2, <2
  - scipy=1.4=py36_0
  - "pandas[version='>=1', build=abc]"
  - pip:
      - -r more.txt
      - --extra-index-url https://you:pw@x.example/simple
      - azureml-defaults[x]==1.2
      - torch==1.4  # old
  - azureml-core
variables:
  ALPHA: 1.10
  BETA: yes
  GAMMA:
""")
    found = conda_text.read(str(tmp_path / "environment.yml"), ENVIRON)
    assert found.python == "3.10"
    assert found.channels == ("conda-forge", f"{tmp_path}/channel", "https://h.example/t/${TOKEN}/chan")
    assert found.conda == (
        "pip",
        "conda-forge::numpy >=1.2, <2",
        "scipy=1.4=py36_0",
        "pandas[version='>=1', build=abc]",
    )
    assert found.pip == ("pandas", "torch==1.4")
    assert found.constraints == ("pandas<3",)
    assert found.pip_options == ("--extra-index-url https://x.example/simple",)
    assert found.variables == {"ALPHA": "1.10", "BETA": "yes", "GAMMA": ""}
    assert found.credentials == {"h.example": "me:s3cret", "x.example": "you:pw"}
    assert (len(found.notes), len(found.news)) == (0, 2)
    assert "s3cret" not in repr(found) + repr(found.to_dict())


@pytest.mark.parametrize(
    ("dependency", "python"),
    [("python", None), ("python=3.8", "3.8"), ("python 3.8.*", "3.8"), ("python=3.8.13=abc", "3.8.13"), ("python>=3.7,<3.9", ">=3.7,<3.9"), ("python==3.8.1", "3.8.1"), ("PYTHON=3", "3")],
)  # fmt: skip
def test_the_version_of_python(dependency, python):
    found = parse(f"dependencies: ['{dependency}']")
    assert (found.python, found.python_is_soft, found.conda) == (python, python is not None, ())


REFUSED = {
    "nothing": ("", "a conda environment is a mapping, and this is empty", "dependencies:"),
    "a list": ("- numpy", "is a mapping, and this is a list", "dependencies:"),
    "a text": ("numpy", "and this is 'numpy'", "dependencies:"),
    "not YAML": ("dependencies:\n  - numpy\n - pandas\n", "line 3: this is not YAML", "such as"),
    "a tab": ("dependencies:\n\t- numpy", "line 2: this is not YAML", "such as"),
    "bytes": ("a: \x01", "this is not YAML", "such as"),
    "a character that is none": ('a: "\\UFFFFFFFF"', "this is not YAML", "such as"),
    "two documents": ("a: 1\n---\nb: 2", "this is not YAML", "such as"),
    "too deep": ("x: " + "[" * 5000, "this is not YAML", "such as"),
    "no dependencies": ("name: x", "there are no dependencies", "dependencies:"),
    "dependencies are a text": ("dependencies: numpy", "line 1: dependencies is 'numpy', not a list", "'- '"),
    "dependencies are a mapping": ("dependencies:\n  numpy: 1", "line 2: dependencies is a mapping, not a list", "'- '"),
    "a number with a colon": ("dependencies:\n- python: 3.10", "line 2: 'python: 3.10' is no dependency", "write python=3.10"),
    "a name with a colon": ("dependencies:\n- numpy:", "line 2: 'numpy:' is no dependency", "write numpy"),
    "a number": ("dependencies:\n- 3.10", "line 2: '3.10' is no package of conda", "such as"),
    "a list in the list": ("dependencies:\n- [a]", "line 2: a dependency is a list, not a text", "such as"),
    "an empty entry": ("dependencies:\n-", "line 2: a dependency is empty", "fill it"),
    "pip is a text": ("dependencies:\n- pip: numpy", "line 2: what stands below pip is 'numpy', not a list", "'- '"),
    "pip's one =": ("dependencies:\n- pip:\n  - numpy=1.2", "line 3: 'numpy=1.2' is no requirement", "'numpy==1.2'"),
    "pip's file that is not there": ("dependencies:\n- pip:\n  - -r nope.txt", "line 3: there is no file 'nope.txt'", "looked for"),
    "signs in the wrong order": ("dependencies:\n- numpy=>1.2", "line 2: 'numpy=>1.2' is no package of conda", "did you mean 'numpy>=1.2'?"),
    "a path": ("dependencies:\n- ./x", "'./x' is no package of conda", "such as"),
    "brackets": ("dependencies:\n- 'numpy[version=]'", "is no package of conda", "such as"),
    "a key twice": ("dependencies: []\ndependencies: [a]", "line 2: 'dependencies' stands here twice", "join"),
    "a near key": ("dependancies: [a]", "line 1: 'dependancies' is not known", "did you mean dependencies?"),
    "a channel that is not there": ("channels: [./nope]\ndependencies: []", "line 1: there is no folder './nope'", "looked for"),
    "a token": ("channels: [https://h.example/t/abc/x]\ndependencies: []", "holds a token, which is a secret", "CONDA_TOKEN"),
    "channels are a mapping": ("channels: {a: b}\ndependencies: []", "line 1: channels is a mapping", "'- '"),
    "variables are a list": ("variables: [a]\ndependencies: []", "line 1: variables is a list, not a mapping", "NAME: value"),
    "a variable is a list": ("variables: {A: [b]}\ndependencies: []", "a variable's value is a list", "such as"),
    "itself": ("a: &a [*a]\ndependencies: []", "line 1: this names itself", "write it out"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_told_with_its_line_and_what_to_do(name):
    text, message, hint = REFUSED[name]
    with pytest.raises(UserErrorException) as raised:
        parse(text)
    assert message in raised.value.message
    assert raised.value.message.startswith("environment.yml")
    assert hint in raised.value.hint
    assert "abc" not in raised.value.message


def test_nothing_in_a_file_is_executed(tmp_path):
    made = tmp_path / "made"
    found = parse(f"dependencies: !!python/object/apply:os.mkdir ['{made.name}']", tmp_path)
    assert found.conda == ("made",)
    assert not made.exists()


@pytest.mark.parametrize("merge", [False, True])
def test_a_file_that_is_far_more_than_it_seems_is_refused(merge):
    lines = ["a0: &a0 {x: y}" if merge else "a0: &a0 [x, x]"]
    for level in range(1, 30):
        of_before = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} {{<<: [{of_before}]}}" if merge else f"a{level}: &a{level} [{of_before}]")
    with pytest.raises(UserErrorException, match="more than 20,000 values"):
        parse("\n".join([*lines, "dependencies: []"]))


def test_what_conda_does_not_know_is_passed_over_and_told():
    assert parse("platforms: [linux-64]\ndependencies: []").notes == (
        "environment.yml, line 1: 'platforms' was passed over",
    )


MATCHES = {
    "numpy": ("numpy", "", "", ""),
    "NumPy": ("numpy", "", "", ""),
    "numpy=1.4": ("numpy", "=1.4", "", ""),
    "numpy==1.4": ("numpy", "==1.4", "", ""),
    "numpy 1.4": ("numpy", "==1.4", "", ""),
    "numpy = 1.4": ("numpy", "=1.4", "", ""),
    "numpy 1.4.*": ("numpy", "1.4.*", "", ""),
    "numpy=1.4.*": ("numpy", "1.4.*", "", ""),
    "numpy=*": ("numpy", "", "", ""),
    "numpy=1.4=py36_0": ("numpy", "==1.4", "py36_0", ""),
    "numpy 1.4 py36_0": ("numpy", "==1.4", "py36_0", ""),
    "numpy=*=*cuda*": ("numpy", "", "*cuda*", ""),
    "numpy>=1.4, < 2": ("numpy", ">=1.4,<2", "", ""),
    "numpy 1.4|1.5.*": ("numpy", "1.4|1.5.*", "", ""),
    "numpy~=1.4": ("numpy", "~=1.4", "", ""),
    "numpy!=1.4": ("numpy", "!=1.4", "", ""),
    "conda-forge::numpy": ("numpy", "", "", "conda-forge"),
    "https://h.example/c::numpy=1": ("numpy", "=1", "", "https://h.example/c"),
    "numpy[version='>=1,<2']": ("numpy", ">=1,<2", "", ""),
    'numpy[version="1.4", build=py_0, channel=x]': ("numpy", "==1.4", "py_0", "x"),
    "_libgcc_mutex=0.1=main": ("_libgcc_mutex", "==0.1", "main", ""),
    "pytorch=1.8.1+cpu": ("pytorch", "=1.8.1+cpu", "", ""),
}


@pytest.mark.parametrize("text", MATCHES)
def test_match_specifications(text):
    assert conda_match.parse(text, "here") == CondaPackage(*MATCHES[text])


VERSIONS = {
    "": "",
    "=1.4": "==1.4.*",
    "==1.4.0": "==1.4.0",
    "==1.4.*": "==1.4.*",
    "1.4.*": "==1.4.*",
    "1.4*": "==1.4.*",
    ">=1.4": ">=1.4",
    ">=1.4.*": ">=1.4",
    ">=1.2,<2,!=1.5": ">=1.2,<2,!=1.5",
    "!=1.4.*": "!=1.4.*",
    "~=1.4": "~=1.4",
    "~=1": "==1.*",
    "==1.4|==1.5": "==1.5",
    "=1.0b2": "==1.0b2",
    "=1.8.1+cpu": "==1.8.1+cpu",
    "=2022g": None,
    "^1\\.4$": None,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_as_pip_writes_them(version):
    assert conda_versions.to_pip(version) == VERSIONS[version]


NAMES = st.from_regex(r"[a-z_][a-z0-9_.-]{0,6}", fullmatch=True).filter(
    lambda name: name != "python" and not name.startswith("azureml")
)
SPECS = st.builds(
    "{}{}".format, NAMES, st.sampled_from(["", "=1.4", "==1.4.1", ">=1,<2", " 1.4.*", "=1.4=py_0", "[version='>=1']"])
)


@given(
    st.lists(SPECS, max_size=5),
    st.lists(st.sampled_from(["defaults", "pytorch"]), unique=True),
    st.dictionaries(NAMES, st.text(st.characters(codec="ascii"))),
)
@settings(deadline=None)
def test_what_is_written_is_what_is_read(conda, channels, variables):
    document = {
        "channels": channels,
        "dependencies": ["python=3.8", *conda, {"pip": ["torch==2.0"]}],
        "variables": variables,
    }
    found = parse(yaml.safe_dump(document))
    assert (list(found.conda), list(found.channels), dict(found.variables)) == (conda, channels, variables)
    assert (found.python, found.pip) == ("3.8", ("torch==2.0",))


PIECES = st.sampled_from(
    [
        "dependencies:",
        "channels:",
        "\n",
        "- ",
        " ",
        "pip:",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "!!",
        ": ",
        "numpy",
        "=1",
        "::",
        "'",
        "<<: ",
        "|",
        "~",
        "-r ",
        "https://u:p@h/t/x",
    ]
)


def test_what_is_passed_over_is_told_without_a_password():
    assert parse("https://u:p@h/https://u:p@h: 1\ndependencies: []").notes == (
        "environment.yml, line 1: 'https://h/https://h' was passed over",
    )


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
@settings(max_examples=400, deadline=None)
def test_no_text_whatever_makes_it_fail_otherwise(text):
    for each in (text, f"dependencies:\n- {text}"):
        try:
            found = parse(each, os.sep)
        except AmlnbError:
            continue
        assert "u:p@" not in repr(found)


@given(
    st.text(max_size=12)
    | st.lists(st.sampled_from([*"=<>!~,|[]*' ", "1.4", "numpy", "::", "version="]), max_size=8).map("".join)
)
@settings(max_examples=400, deadline=None)
def test_no_match_specification_makes_it_fail_otherwise(text):
    try:
        package = conda_match.parse(text, "here")
    except AmlnbError:
        return
    conda_versions.to_pip(package.version)
    conda_versions.of_python(package)
