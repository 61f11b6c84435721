"""Requirements files, as pip reads them; whatever cannot be understood is told with its line."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
import uv
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.environments import addresses, requirements_text
from amlnb.environments.requirement_names import name_of
from amlnb.errors import AmlnbError, UserErrorException

SHA = "a" * 64
ENVIRON = {
    "TOKEN": "s3cret@/x",
    "NAME": "me",
    "HOST": "index.example",
    "FOLDER": "lib",
    "EMPTY": "",
    "INDEX": "https://me:pw@h.example/simple",
    "AT": "me:pw@h.example",
}


@pytest.fixture
def read(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pyproject.toml").write_text("")
    (tmp_path / "a-1.0-py3-none-any.whl").write_text("")

    def read_(text, environ=ENVIRON, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_txt", ".txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        path = tmp_path / "requirements.txt"
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return requirements_text.read(str(path), environ)

    return read_


PLAIN = {
    "names": ("numpy\n\npandas\n", ["numpy", "pandas"]),
    "versions": ("numpy>=1.26,<3\nscipy == 1.11.4", ["numpy>=1.26,<3", "scipy == 1.11.4"]),
    "extras": ("uvicorn[standard,x] >= 0.1", ["uvicorn[standard,x] >= 0.1"]),
    "markers": ("a ; python_version < '3.9'", ["a ; python_version < '3.9'"]),
    "comments": ("# one\nnumpy # two\n  # three\npandas#4\n".replace("#4", " #4"), ["numpy", "pandas"]),
    "continued": ("numpy \\\n  >=1.26\nscipy", ["numpy   >=1.26", "scipy"]),
    "continued to the end": ("numpy\\", ["numpy"]),
    "a comment in between": ("numpy\\\n# no\npandas", ["numpy", "pandas"]),
    "hashes": (
        f"numpy==1.0 \\\n --hash=sha256:{SHA} \\\n --hash sha256:{SHA}",
        [f"numpy==1.0 --hash=sha256:{SHA} --hash=sha256:{SHA}"],
    ),
    "DOS": ("numpy\r\npandas\r\n", ["numpy", "pandas"]),
    "a mark": (b"\xef\xbb\xbfnumpy", ["numpy"]),
    "PowerShell": ("numpy\n".encode("utf-16"), ["numpy"]),
    "its own encoding": ("# -*- coding: latin-1 -*-\nnumpy # \xe9".encode("latin-1"), ["numpy"]),
    "addresses": (
        "git+https://h.example/x.git@v1#egg=x\nhttps://h.example/a-1.whl ; python_version>'3'\nb @ https://h.example/b.whl",
        [
            "git+https://h.example/x.git@v1#egg=x",
            "https://h.example/a-1.whl ; python_version>'3'",
            "b @ https://h.example/b.whl",
        ],
    ),
    "ssh": ("git+ssh://git@h.example/x.git", ["git+ssh://git@h.example/x.git"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("name", PLAIN)
def test_requirements(read, name):
    text, expected = PLAIN[name]
    found = read(text)
    assert found.pip == expected
    assert not found.credentials


def test_local_paths_are_absolute(read, tmp_path):
    found = read(
        "./lib\n-e lib\n-e ./lib[dev]\na-1.0-py3-none-any.whl\nfile:lib\n./${FOLDER} ; python_version > '3'\n--editable=./lib"
    )
    lib = f"{tmp_path}/lib"
    wheel = f"{tmp_path}/a-1.0-py3-none-any.whl"
    assert found.pip == [lib, f"-e {lib}", f"-e {lib}[dev]", wheel, lib, f"{lib} ; python_version > '3'", f"-e {lib}"]


def test_options_keep_their_order_and_have_their_long_names(read, tmp_path):
    found = read(
        "-i https://h.example/simple\n--extra-index-url=https://x.example/simple\n-f ./lib\n--no-index\n--pre\n"
        "--trusted-host h.example --no-binary numpy\n--pre\n-ihttps://z.example\n--use-feature fast-deps"
    )
    assert found.options == [
        "--index-url https://h.example/simple",
        "--extra-index-url https://x.example/simple",
        f"--find-links {tmp_path}/lib",
        "--no-index",
        "--pre",
        "--trusted-host h.example",
        "--no-binary numpy",
        "--index-url https://z.example",
    ]
    assert found.notes == ["requirements.txt, line 9: --use-feature was passed over"]


def test_an_index_may_be_a_folder(read, tmp_path):
    assert read("-i ./lib\n--extra-index-url file:lib").options == [
        f"--index-url {tmp_path}/lib",
        f"--extra-index-url {tmp_path}/lib",
    ]


def test_nested_files_are_relative_to_their_own_folder(read, tmp_path):
    found = read(
        "-r more/base.txt\n-c pins.txt\nnumpy",
        more__base_txt="-r deeper.txt\npandas\n../lib",
        more__deeper_txt="scipy",
        pins_txt="numpy<2\n-r more/pins.txt",
        more__pins_txt="scipy<2",
    )
    assert found.pip == ["scipy", "pandas", f"{tmp_path}/lib", "numpy"]
    assert found.constraints == ["numpy<2", "scipy<2"]


def test_files_that_name_each_other_are_told_as_a_circle(read):
    with pytest.raises(
        UserErrorException, match=r"b\.txt, line 2: these files name each other in a circle: a\.txt -> b\.txt -> a\.txt"
    ):
        read("-r a.txt", a_txt="-r b.txt", b_txt="numpy\n-r a.txt")


def test_a_file_may_be_named_twice(read):
    assert read("-r a.txt\n-r b.txt", a_txt="-r c.txt", b_txt="-r c.txt", c_txt="numpy").pip == ["numpy", "numpy"]


CREDENTIALS = {
    "index": (
        "-i https://me:pw@h.example:81/simple",
        "--index-url https://h.example:81/simple",
        {"h.example:81": "me:pw"},
    ),
    "token": ("-i https://tok@h.example/", "--index-url https://h.example/", {"h.example": "tok:"}),
    "variables": (
        "-i https://${NAME}:${TOKEN}@${HOST}/s",
        "--index-url https://index.example/s",
        {"index.example": "me:s3cret@/x"},
    ),
    "variable in the path": ("-i https://h.example/${TOKEN}/s", "--index-url https://h.example/${TOKEN}/s", {}),
    "links": ("-f https://me:p%40w@H.example/", "--find-links https://H.example/", {"h.example": "me:p%40w"}),
    "a variable that holds all": ("-i ${INDEX}", "--index-url ${INDEX}", {"h.example": "me:pw"}),
    "a variable that holds the beginning": ("-f ${INDEX}/x", "--find-links ${INDEX}/x", {"h.example": "me:pw"}),
    "a variable that holds the host too": (
        "-i https://${AT}/x",
        "--index-url https://h.example/x",
        {"h.example": "me:pw"},
    ),
    "a feed's view": (
        "-i https://me:pw@h.example/f@Local/",
        "--index-url https://h.example/f@Local/",
        {"h.example": "me:pw"},
    ),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_user_and_password_are_taken_out_of_options(read, name):
    line, option, credentials = CREDENTIALS[name]
    found = read(line)
    assert (found.options, found.credentials) == ([option], credentials)
    assert "pw" not in repr(found)


@pytest.mark.parametrize("form", ["{}", "-e {}", "x @ {}"])
def test_user_and_password_are_taken_out_of_requirements(read, form):
    found = read(form.format("git+https://me:${TOKEN}@h.example/x.git@main"))
    assert found.pip == [form.format("git+https://h.example/x.git@main")]
    assert found.credentials == {"h.example": "me:s3cret@/x"}


REFUSED = {
    "one =": ("numpy\nscipy=1.2", "line 2: 'scipy=1.2' is no requirement", "did you mean 'scipy==1.2'?"),
    "no sign": ("numpy 1.2", "line 1: 'numpy 1.2' is no requirement", "did you mean 'numpy==1.2'?"),
    "conda's": ("conda-forge::numpy", "is no requirement", "environment.yml"),
    "a bad version": ("numpy==1..2", "is no requirement", "such as"),
    "a bad marker": ("numpy ; python > 3", "is no requirement", "such as"),
    "a bad marker of an address": (
        "https://h.example/a.whl ; python > 3",
        "'python > 3' is no marker",
        "python_version",
    ),
    "an unknown option": ("--index-ur x", "the option '--index-ur' is not known", "did you mean --index-url?"),
    "an option of install": ("--upgrade", "'--upgrade' is not known", "known are"),
    "a hash alone": ("--hash=sha256:1", "--hash belongs to a requirement", "numpy"),
    "a bad hash": ("numpy --hash=md5:1", "'md5:1' is no hash", "sha256"),
    "an option behind": ("numpy --index-url x", "'--index-url' cannot stand behind", "line of their own"),
    "no value": ("numpy\n--index-url", "line 2: --index-url has no value", "VALUE"),
    "a value too many": ("--pre=1", "--pre takes no value", "--pre"),
    "a word too many": ("--pre numpy", "'numpy' stands behind an option", "of its own"),
    "a quotation mark": ("-e 'lib", "quotation mark", "without"),
    "a path that is not there": ("./nope", "there is no file or folder './nope'", "looked for"),
    "a near path": ("-e ./libb", "there is no file or folder './libb'", "did you mean 'lib'?"),
    "an address of a file that is not there": (
        "file:///nope/a.whl",
        "there is no file or folder '/nope/a.whl'",
        "looked for",
    ),
    "a file that is not there": (
        "-r requirement.txt",
        "there is no file 'requirement.txt'",
        "did you mean 'requirements.txt'?",
    ),
    "a file of the web": ("-r https://me:pw@h.example/r.txt", "'https://h.example/r.txt' is an address", "beside"),
    "half an address": ("https://", "not a whole address", "https://HOST"),
    "a variable that is not set": (
        "-i https://${NOPE}@h.example/",
        "the environment variable NOPE is not set",
        "set NOPE",
    ),
    "an empty variable": ("-i https://${EMPTY}@h.example/", "the environment variable EMPTY is not set", "set EMPTY"),
    "two passwords": (
        "-i https://a:b@h.example/\n-f https://a:c@h.example/",
        "line 2: h.example has another user",
        "one user",
    ),
    "no scheme": ("-i me:pw@h.example/s", "--index-url 'h.example/s' is no address", "begins with https://"),
    "no scheme either": ("-f //me:pw@h.example", "--find-links 'h.example' is no address", "begins with https://"),
    "a colon alone": ("--extra-index-url https:me:pw@h", "--extra-index-url 'h' is no address", "begins with https://"),
    "no address and no folder": ("-i h.example/s", "'h.example/s' is no address", "begins with https://; looked for"),
    "two addresses": ("-f 'https://h.example https://h.example'", "more than an address", "one --find-links for each"),
    "a host with a password": ("--trusted-host me:pw@h.example", "--trusted-host has an '@'", "names alone"),
    "a password with a slash": ("-i https://me:p/pw@h.example/", "where in an address the host is", "%2F"),
    "a password with a slash in a requirement": ("x @ https://me:p#pw@h.example/", "where in an address", "${NAME}"),
    "an address in an address": ("-i https://https://me:pw@h.example/", "where in an address the host is", "${NAME}"),
    "a quotation mark in it": ("https://https://'me:pw@h.example/", "where in an address the host is", "${NAME}"),
    "a quotation mark in a name": ("x @ https://m'e:pw@h.example/", "where in an address the host is", "${NAME}"),
    "no scheme of a requirement": ("x @ me:pw@h.example/x.whl", "'h.example/x.whl' is not a whole", "https://HOST"),
    "a variable with the beginning of a requirement": ("x @ ${INDEX}/a.whl", "'${INDEX}/a.whl' is not", "https://HOST"),
    "an editable constraint": ("-c c.txt", "c.txt, line 1: a constraint cannot be editable", "version"),
    "no text": (b"numpy\xff", "is no text in utf-8", "UTF-8"),
    "an unknown encoding": (b"# coding: klingon\nnumpy", "is no text in klingon", "UTF-8"),
    "bytes": (b"nu\x00mpy", "line 1 has characters that no text has", "UTF-8"),
    "too large": ("#" * 2_000_001, "is larger than 2,000,000 bytes", "environment"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_understood_is_told_with_its_line_and_what_to_do(read, name):
    text, message, hint = REFUSED[name]
    with pytest.raises(UserErrorException) as raised:
        read(text, c_txt="-e ./lib")
    assert message in raised.value.message
    assert raised.value.message.startswith(("requirements.txt", "c.txt"))
    assert hint in raised.value.hint
    assert "pw" not in str(raised.value)


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(UserErrorException, match=r"nope\.txt cannot be read: No such file"):
        requirements_text.read("/nowhere/nope.txt", {})


def test_names_of_old_are_those_of_today(read):
    found = read(
        "sklearn\nSklearn==0.22\nsklearn==0.0.post1\ntensorflow_gpu[x]==2.0 ; python_version > '3'\npytorch>=1.4\nsklearn-crfsuite"
    ).specification("r.txt")
    assert found.pip == (
        "scikit-learn",
        "scikit-learn==0.22",
        "scikit-learn",
        "tensorflow[x]==2.0 ; python_version > '3'",
        "torch>=1.4",
        "sklearn-crfsuite",
    )
    assert found.news[:2] == (
        "sklearn is scikit-learn on PyPI today",
        "Sklearn==0.22 is scikit-learn==0.22 on PyPI today",
    )
    assert len(found.news) == 5


def test_azure_mls_packages_are_served_and_not_installed(read):
    found = read(
        "azureml-sdk[notebooks,automl]==1.0.45\nazureml_core>=1\nAzureML.Train\nazureml\nmlflow\nazure-ai-ml\nhttps://h.example/azureml_core-1.2-py3-none-any.whl\ngit+https://h.example/x#egg=azureml-x"
    ).specification("r.txt")
    assert found.pip == ("mlflow", "azure-ai-ml")
    names = ["azureml-sdk", "azureml-core", "azureml-train", "azureml", "azureml-x"]
    assert found.news == tuple(f"{name} is served by amlnb and was not installed" for name in names)


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.sampled_from(["", "==1.0", ">=1,<2", "!=1.5.*", "~=2.1", "[x]", "[x,y-z]>=3"])
TAILS = st.sampled_from(["", " ; python_version < '3.9'", f" --hash=sha256:{SHA}"])


@given(st.lists(st.builds("{}{}{}".format, NAMES, VERSIONS, TAILS), max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_what_is_read(lines, data):
    noise = st.sampled_from(["", "\n", "# comment\n", "   "])
    text = "".join(f"{data.draw(noise)}{line}{data.draw(st.sampled_from(['', '  # c', ' ']))}\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_text(text)
        once = requirements_text.read(str(path), {})
        assert once.pip == lines
        path.write_text("\n".join(once.pip))
        assert requirements_text.read(str(path), {}) == once


PIECES = st.sampled_from(
    [
        "-r ",
        "-e ",
        "--hash=",
        "-i ",
        "https://",
        "u:p@h",
        "${A}",
        "[x]",
        ";",
        "\\\n",
        "#",
        "==1",
        "'",
        "@",
        "git+",
        "/",
        "./",
        "\n",
        " ",
        "\0",
        "=",
        "file:",
        "~",
        "%",
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join))
@settings(max_examples=300, deadline=None)
def test_no_text_whatever_makes_it_fail_otherwise(text):
    for line in text.split("\n"):
        with contextlib.suppress(AmlnbError):
            found = requirements_text.parse([("here", line)], os.sep, {"A": "b"})
            assert not any("u:p@" in each for each in [*found.pip, *found.options])
            for each in found.pip:
                name_of(each)


@given(st.text(st.characters(codec="utf-8", exclude_characters="@/:?#"), min_size=1), st.text(min_size=1))
@settings(deadline=None)
def test_no_password_stays_in_an_address_and_none_is_lost(user, password):
    environ = {"USER_": user, "PASSWORD": password}
    found = addresses.cleaned("x @ https://${USER_}:${PASSWORD}@h.example/a b", environ, "here")
    assert found.text == "x @ https://h.example/a b"
    assert found.credentials == {"h.example": f"{user}:{password}"}
    assert addresses.expanded(found.text, environ, "here") == found.text


def test_uv_understands_what_is_made_of_a_file(read, tmp_path):
    project = tmp_path / "with space"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "tiny"\nversion = "1"\n[project.optional-dependencies]\nx = []\n'
    )
    (project / "tiny.py").write_text("")
    found = read("'./with space'\n".replace("'", "") + "-e './with space[x]'\n--no-index\n")
    assert found.pip == [str(project), f"-e {project}[x]"]
    text = "\n".join([*found.options, f"-e {project}[x] ; python_version > '3'"])
    (tmp_path / "in.txt").write_text(text)
    command = [uv.find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-build-isolation", "--offline", "in.txt"]
    environ = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert str(project) in done.stdout, done.stderr
