"""What stands after ``--env``: files, folders, names, packages; and what is none of these."""

import os
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amlnb.environments import package_lists
from amlnb.environments.specifications import Asked, Surroundings, from_file, from_word
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

NAMES = {
    "mine": EnvironmentSpec(name="mine", version="1", pip=("scipy",)),
    "numpy": EnvironmentSpec(name="numpy", version="1", pip=("numpy==1.26.4",)),
    "a name, with signs!": EnvironmentSpec(name="a name, with signs!", version="1"),
}
INLINE = '# /// script\n# dependencies = ["a"]\n# ///\n'


def around(folder="/nowhere", inline=None):
    return Surroundings(str(folder), {"TOKEN": "s3cret"}, named=NAMES.get, names=list(NAMES), inline=inline)


def of_word(word, folder="/nowhere"):
    return from_word(word, around(folder)).spec


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy\n-r more.in")
    (tmp_path / "more.in").write_text("pandas")
    (tmp_path / "environment.yml").write_text("dependencies: [python=3.8, scipy]")
    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    (tmp_path / "lock.json").write_text("{}")
    (tmp_path / "train.py").write_text("")
    (tmp_path / "a-1.0-py3-none-any.whl").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def test_files(folder):
    assert of_word("requirements.txt", folder).to_dict() == {"origin": "requirements.txt", "pip": ["numpy", "pandas"]}
    assert of_word("./more.in", folder).pip == ("pandas",)
    found = of_word(str(folder / "environment.yml"))
    assert (found.conda, found.python, found.python_is_soft) == (("scipy",), "3.8", True)
    assert of_word("Dockerfile", folder).dockerfile == "FROM python:3.11\n"
    assert from_word("lock.json", around(folder)) == Asked(EnvironmentSpec(origin="lock.json"), f"{folder}/lock.json")
    assert from_file(str(folder / "more.in"), {}).pip == ("pandas",)


@pytest.mark.parametrize("word", ["venv", "./venv/", "venv/bin/python"])
def test_what_exists_is_used_by_its_own_path_and_not_by_what_it_links_to(folder, word):
    assert of_word(word, folder).interpreter == f"{folder}/venv/bin/python"


PACKAGES = {
    "numpy,": (None, ["numpy"]),
    "python=3.11,torch==2.13.0,numpy<2": ("3.11", ["torch==2.13.0", "numpy<2"]),
    "python=3.11": ("3.11", []),
    "python==3.11.*": ("3.11", []),
    "python==3.11.4": ("3.11.4", []),
    "python3.11": ("3.11", []),
    "python>=3.10,<3.13, pandas": (">=3.10,<3.13", ["pandas"]),
    "numpy >= 1.26, < 2, pandas": (None, ["numpy >= 1.26,< 2", "pandas"]),
    "uvicorn[standard,x]>=0.1,<2,numpy": (None, ["uvicorn[standard,x]>=0.1,<2", "numpy"]),
    "python-dateutil,pythonnet": (None, ["python-dateutil", "pythonnet"]),
    "a ; python_version < '3.9'": (None, ["a ; python_version < '3.9'"]),
    "a @ https://h.example/a.whl,b": (None, ["a @ https://h.example/a.whl", "b"]),
    "git+https://h.example/x.git@main": (None, ["git+https://h.example/x.git@main"]),
    "azureml-core,numpy<2": (None, ["numpy<2"]),
}


@pytest.mark.parametrize("word", PACKAGES)
def test_packages(word):
    found = of_word(word)
    assert (found.python, list(found.pip)) == PACKAGES[word]
    assert (found.python_is_soft, found.origin) == (False, "--env")


def test_local_packages(folder):
    assert of_word("./project", folder).pip == (f"{folder}/project",)
    assert of_word("./a-1.0-py3-none-any.whl,numpy", folder).pip == (f"{folder}/a-1.0-py3-none-any.whl", "numpy")
    assert of_word("a-1.0-py3-none-any.whl", folder).pip == (f"{folder}/a-1.0-py3-none-any.whl",)


def test_a_password_of_an_address_is_no_part_of_what_is_kept():
    found = of_word("a @ https://me:${TOKEN}@h.example/a.whl")
    assert found.pip == ("a @ https://h.example/a.whl",)
    assert found.credentials == {"h.example": "me:s3cret"}
    assert "s3cret" not in repr(found)


def test_names_and_their_precedence(folder):
    assert of_word("mine") is NAMES["mine"]
    assert of_word("numpy").name == "numpy"
    assert of_word("numpy,").name is None
    assert of_word("a name, with signs!").name == "a name, with signs!"
    assert of_word("azureml-SKLEARN-1.5").name == "AzureML-sklearn-1.5"
    (folder / "mine").mkdir()
    (folder / "mine" / "bin").mkdir()
    (folder / "mine" / "bin" / "python").symlink_to(sys.executable)
    assert of_word("mine", folder).interpreter, "a path that is there comes before a name"


def test_a_version_of_python_that_is_none_is_told_as_it_was_written():
    with pytest.raises(AmlnbError, match=r"^'abc' is no version of Python"):
        of_word("python=abc")


def test_a_word_alone_is_taken_as_a_package_and_that_is_told(folder):
    (told,) = of_word("steady").notes
    assert told == "no environment 'steady' is registered here: taken as a package of the index; 'steady,' says so"
    for word in ("steady,", "steady==1", "python3.11", "steady,numpy"):
        assert of_word(word).notes == ()
    (folder / "pyproject.toml").write_text("")
    for word, hint in {"pyproject.toml": "tool.amlnb.env", "0a1b2c3d4e5f": "env list", "0" * 32: "env list"}.items():
        with pytest.raises(UserErrorException) as raised:
            of_word(word, folder)
        assert hint in raised.value.hint


def test_images():
    assert of_word("docker:python:3.11-slim").image == "python:3.11-slim"
    assert of_word("docker:h.example:5000/a/b@sha256:" + "0" * 64).image.startswith("h.example:5000/")


def test_inline_needs_the_text_of_what_is_submitted():
    assert from_word("inline", around(inline=(INLINE, "train.py"))).spec.pip == ("a",)
    for given_ in (None, ("import a", "train.py")):
        with pytest.raises(UserErrorException, match="has no metadata") as raised:
            from_word("inline", around(inline=given_))
        assert "# /// script" in raised.value.hint


REFUSED = {
    "": ("--env has no value", "such as requirements.txt"),
    "  ": ("--env has no value", "such as"),
    "-r": ("'-r' is an option", "--env takes"),
    "a\nb": ("has characters", "such as"),
    "a\0": ("has characters", "such as"),
    "numpy=1.26": ("'numpy=1.26' is no requirement", "did you mean 'numpy==1.26'?"),
    "numpy 1.26": ("'numpy 1.26' is no requirement", "did you mean 'numpy==1.26'?"),
    "python": ("python has no version", "python=3.11"),
    "python=x": ("'x' is no version of Python", "python=3.11"),
    "python=3.11,python=3.12": ("python stands there twice", "once"),
    "requirement.txt": ("there is no environment file 'requirement.txt'", "did you mean 'requirements.txt'?"),
    "sub/env.yml": ("there is no environment file 'sub/env.yml'", "there is no folder"),
    "./nope": ("there is no environment file './nope'", "looked for"),
    "./train.py": ("'./train.py' is no file of an environment", "such as"),
    "empty": ("the folder 'empty' is no environment", "write 'empty,'"),
    "./empty": ("the folder './empty' is no environment", "such as"),
    "mime": ("there is no environment 'mime'", "did you mean 'mine'? For the package of that name write 'mime,'"),
    "AzureML-sklearn-1.7": ("'AzureML-sklearn-1.7' is not among the curated", "AzureML-sklearn-1.5"),
    "docker:": ("'' is no name of an image", "docker:python"),
    "docker:--privileged": ("'--privileged' is no name of an image", "docker:python"),
    "docker:a b": ("'a b' is no name of an image", "docker:python"),
    "$(touch x)": ("'$(touch x)' is no requirement", "such as"),
    "`touch x`": ("is no requirement", "such as"),
    "numpy;touch x": ("'numpy;touch x' is no requirement", "such as"),
    "numpy|touch": ("'numpy|touch' is no requirement", "such as"),
    "numpy>x&": ("is no requirement", "such as"),
    "ümlaut": ("'ümlaut' is no requirement", "such as"),
    "numpy[": ("'numpy[' is no requirement", "such as"),
    "a @ https://me:pw@": ("no", "such as"),
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_word_that_is_none_of_these_is_told_with_what_it_may_have_been(folder, word):
    message, hint = REFUSED[word]
    with pytest.raises(AmlnbError) as raised:
        of_word(word, folder)
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert "pw" not in str(raised.value)


PART = st.builds(
    "{}{}{}".format,
    st.from_regex(r"[a-z][a-z0-9]{1,5}", fullmatch=True).filter(
        lambda name: not name.startswith(("python", "azureml"))
    ),
    st.sampled_from(["", "[x]", "[x,y]"]),
    st.sampled_from(["", "==1.0", ">=1,<2", "!=1.5.*,>=1", "~=2.1"]),
)


@given(st.lists(PART, min_size=1, max_size=4), st.sampled_from([",", ", "]))
@settings(deadline=None)
def test_words_are_split_into_the_packages_they_were_made_of(parts, comma):
    assert package_lists.split(comma.join(parts)) == parts
    assert list(of_word(comma.join(parts) + ",").pip) == parts


@given(
    st.text(max_size=10)
    | st.lists(
        st.sampled_from([*",=<>[]()@ ;:/.~-", "numpy", "python", "1", "docker:", "https://", ".txt", "AzureML-"]),
        max_size=8,
    ).map("".join)
)
@settings(max_examples=400, deadline=None)
@example("\ud800")
def test_no_word_whatever_makes_it_fail_otherwise(word):
    try:
        found = from_word(word, around(os.sep)).spec
    except AmlnbError as error:
        told = str(error)
    else:
        told = str(found)
    assert told
