"""Script metadata (PEP 723) and ``[tool.amlnb.env]``: in scripts, cells, notebooks and pyproject.toml."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.environments import inline_metadata
from amlnb.environments.specifications import Surroundings, from_inline, from_project
from amlnb.errors import AmlnbError, FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

WHOLE = """\
%%submit --env inline
# /// script
# requires-python = ">=3.10,<3.14"
# dependencies = [
#     "numpy<2",
#     "torch==2.13.0",
#
#     "azureml-core",
# ]
#
# [tool.uv]
# index-url = "https://me:${TOKEN}@h.example/simple"
# extra-index-url = ["https://x.example/simple"]
# ///
import numpy
"""
REGISTERED = EnvironmentSpec(name="mine", version="3", origin="requirements.txt", pip=("pandas",))


def around(text, folder="/nowhere", target=None):
    return Surroundings(
        str(folder),
        {"TOKEN": "s3cret"},
        named={"mine": REGISTERED}.get,
        names=["mine"],
        target=target,
        inline=(text, "the cell"),
    )


def block(*lines):
    return "\n".join(["# /// script", *(f"# {line}".rstrip() for line in lines), "# ///", ""])


def test_everything_that_a_block_may_say():
    found = from_inline(around(WHOLE))
    assert found.to_dict() == {
        "origin": "the metadata of the cell",
        "python": ">=3.10,<3.14",
        "pip": ["numpy<2", "torch==2.13.0"],
        "pip_options": ["--index-url https://h.example/simple", "--extra-index-url https://x.example/simple"],
        "news": ["azureml-core is served by amlnb and was not installed"],
    }
    assert found.credentials == {"h.example": "me:s3cret"}


@pytest.mark.parametrize(
    "text", ["", "import numpy", "# script\n# ///", "#/// other", "# /// other\n# x\n# ///", "x = '# /// script'"]
)
def test_a_text_without_metadata_asks_for_nothing(text):
    assert from_inline(around(text)) is None


def test_indexes_of_uv():
    text = block(
        "[[tool.uv.index]]",
        'url = "https://a.example/s"',
        "[[tool.uv.index]]",
        'url = "https://b.example"',
        "default = true",
    )
    assert from_inline(around(text)).pip_options == (
        "--extra-index-url https://a.example/s",
        "--index-url https://b.example",
    )


REFUSED = {
    "no end": ("# /// script\n# dependencies = []\n", "line 3: the metadata that begins on line 1 has no end", "'# ///'"),
    "no end at all": ("x\n# /// script", "line 2: the metadata that begins here has no end", "'# ///'"),
    "code within": ("# /// script\n# dependencies = []\nx = 1\n# ///", "line 3: the metadata that begins on line 1", "'# '"),
    "no space": ("# /// script\n#dependencies = []\n# ///", "line 2: the metadata", "'# '"),
    "a near beginning": ("#/// script\n# ///", "line 1: '#/// script' begins no metadata", "'# /// script'"),
    "two blocks": (block() + block(), "line 3: a second block", "join"),
    "not TOML": ("\n" + block("dependencies = [", '"a" "b"', "]"), "line 4: the metadata is no TOML", "dependencies"),
    "a text for a list": (block('dependencies = "numpy"'), "dependencies is 'numpy', and must be a list", "["),
    "a number for a text": (block("requires-python = 3.10"), "requires-python is 3.1, and must be a text", "requires-python"),
    "a bad requirement": (block('dependencies = ["numpy=1"]'), "'numpy=1' is no requirement", "numpy==1"),
    "tool is no table": (block("tool = 1"), "tool is 1, and must be a table", "[tool]"),
    "an index without url": (block("[[tool.uv.index]]", "name = 'x'"), "an index has no url", "url"),
    "an unknown key": (block("[tool.amlnb.env]", "package = []"), "'package' is not known", "did you mean packages?"),
    "a key of nothing": (block("[tool.amlnb.env]", "zzz = []"), "'zzz' is not known", "known are file, packages"),
    "two bases": (block("[tool.amlnb.env]", 'name = "mine"', 'image = "x"'), "name and image exclude each other", "out"),
    "packages for an image": (block("[tool.amlnb.env]", 'image = "x"', 'packages = ["a"]'), "nothing is added to an image", "packages"),
    "a bad image": (block("[tool.amlnb.env]", 'image = "-x"'), "'-x' is no name of an image", "docker:"),
    "an unknown name": (block("[tool.amlnb.env]", 'name = "mint"'), "there is no environment 'mint'", "did you mean 'mine'?"),
    "no such file": (block("[tool.amlnb.env]", 'file = "x.txt"'), "there is no environment file 'x.txt'", "/nowhere"),
    "no such Python": (block("[tool.amlnb.env]", 'interpreter = "nope-python"'), "'nope-python' does not exist", "a Python"),
    "strict is a text": (block("[tool.amlnb.env]", 'strict = "yes"'), "strict is 'yes', and must be true or false", "true"),
    "a variable is a list": (block("[tool.amlnb.env]", "variables = {A = []}"), "the variable A is no text", "A ="),
    "a target is a text": (block("[tool.amlnb.env.target]", 'gpu = "x"'), "gpu is 'x', and must be a table", "[gpu]"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_told_with_its_line_and_what_to_do(name):
    text, message, hint = REFUSED[name]
    with pytest.raises(AmlnbError) as raised:
        from_inline(around(text, target="gpu"))
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_a_table_adds_to_the_block_and_a_targets_own_replaces_it(tmp_path):
    (tmp_path / "more.txt").write_text("scipy")
    text = block(
        'dependencies = ["numpy"]',
        "[tool.amlnb.env]",
        'file = "more.txt"',
        'packages = ["pandas", "python=3.12"]',
        "strict = true",
        "variables = {A = 1, B = 'x'}",
        "[tool.amlnb.env.target.gpu]",
        'name = "mine"',
        'packages = ["torch"]',
        'python = "3.11"',
        "conda = true",
    )
    found = from_inline(around(text, tmp_path))
    assert found.pip == ("numpy", "scipy", "pandas")
    assert (found.python, found.strict, found.variables) == ("3.12", True, {"A": "1", "B": "x"})
    assert found.origin == "[tool.amlnb.env] of the cell"
    of_gpu = from_inline(around(text, tmp_path, target="gpu"))
    assert of_gpu.pip == ("numpy", "pandas", "torch")
    assert (of_gpu.python, of_gpu.strict, of_gpu.use_conda, of_gpu.variables) == ("3.11", False, True, {})
    assert (of_gpu.name, of_gpu.version) == (None, None)
    assert from_inline(around(text, tmp_path, target="other")) == found


def test_a_project_has_an_environment_of_its_own(tmp_path):
    assert from_project(around("", tmp_path)) is None
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'")
    assert from_project(around("", tmp_path)) is None
    project.write_text("[tool.amlnb.env]\nname = 'mine'\n")
    found = from_project(around("", tmp_path))
    assert (found.name, found.version, found.pip) == ("mine", "3", ("pandas",))
    project.write_text("[tool.amlnb.env]\nimage = 'python:3.11'\n")
    assert from_project(around("", tmp_path)).image == "python:3.11"
    project.write_text("[tool.amlnb.env]\npython = '3.9'\n[tool.amlnb.env.target.box]\npython = '3.10'\n")
    assert from_project(around("", tmp_path, target="local")).python == "3.9"
    assert from_project(around("", tmp_path, target="box")).python == "3.10"
    assert from_project(around("", tmp_path, target="other")) is None
    project.write_text("tool =")
    with pytest.raises(UserErrorException, match=r"pyproject\.toml is no TOML"):
        from_project(around("", tmp_path))


def test_the_first_cell_of_a_notebook_that_has_metadata():
    cells = [
        {"cell_type": "markdown", "source": block("no")},
        {"cell_type": "code", "source": ["import x\n"]},
        {"cell_type": "code", "source": block('dependencies = ["a"]').splitlines(keepends=True)},
    ]
    text = inline_metadata.text_of_notebook(json.dumps({"cells": cells}), "n.ipynb")
    assert from_inline(around(text)).pip == ("a",)
    assert inline_metadata.text_of_notebook(json.dumps({"cells": cells[:2]}), "n.ipynb") is None


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{"cell_type": "code", "source": [1]}]}', "[" * 5000],
)
def test_a_file_that_is_no_notebook_is_told(text):
    with pytest.raises(FormatError, match=r"n\.ipynb is no notebook"):
        inline_metadata.text_of_notebook(text, "n.ipynb")


LINES = st.sampled_from(
    [
        "# /// script",
        "# ///",
        "#",
        "# dependencies = [",
        '# "a",',
        "# ]",
        "# [tool.amlnb.env]",
        "# [tool.uv]",
        "# index-url = 'x'",
        "# packages = []",
        "# target = 1",
        "x",
    ]
)


@given(st.lists(LINES | st.text(max_size=5), max_size=10).map("\n".join))
@settings(max_examples=400, deadline=None)
def test_no_text_whatever_makes_it_fail_otherwise(text):
    for each in (text, f"# /// script\n{text}\n# ///"):
        with contextlib.suppress(AmlnbError):
            from_inline(around(each))


@given(
    st.lists(
        st.sampled_from(["numpy", "a>=1,<2", "b[x]", "c ; python_version < '3.9'", "d @ https://h.example/d.whl"])
    ),
    st.sampled_from([None, "3.11", ">=3.9"]),
)
@settings(deadline=None)
def test_what_is_written_is_what_is_read(dependencies, python):
    lines = [f"dependencies = {json.dumps(dependencies)}", *([f'requires-python = "{python}"'] if python else [])]
    found = from_inline(around("import a\n" + block(*lines) + "a.b()"))
    assert (list(found.pip), found.python) == (dependencies, python)
