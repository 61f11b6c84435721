import os
import sys
import types

import pytest

from amlnb.notebook.capture import capture
from amlnb.notebook.cell import CellException
from amlnb.notebook.file_reads import files_read
from amlnb.notebook.foreseen import check_modules, missing_files

READS = {
    "open": ("open('a.csv')", ["a.csv"]),
    "open for reading": ("open('a.csv', 'rb'); open('b', mode='rt')", ["a.csv", "b"]),
    "with open": ("with open('d/a.csv') as f:\n    f.read()", ["d/a.csv"]),
    "path": ("from pathlib import Path\nPath('a').read_text()", ["a"]),
    "path joined": ("import pathlib\n(pathlib.Path('d') / 'a').read_bytes()", ["d/a"]),
    "path opened": ("Path('a').open()", ["a"]),
    "opened path": ("open(Path('d', 'a'))", ["d/a"]),
    "os.path.join": ("import os\nopen(os.path.join('d', 'a'))", ["d/a"]),
    "numpy": ("np.load('a.npy'); numpy.loadtxt('b'); np.genfromtxt(fname='c')", ["a.npy", "b", "c"]),
    "pandas": ("pd.read_csv('a'); pd.read_parquet(path='b'); pandas.read_excel(io='c')", ["a", "b", "c"]),
    "torch": ("torch.load('m.pt', map_location='cpu')", ["m.pt"]),
    "images": ("Image.open('i.png'); cv2.imread('j.png'); plt.imread('k.png')", ["i.png", "j.png", "k.png"]),
    "json through open": ("json.load(open('a.json'))", ["a.json"]),
    "compressed": ("import gzip\ngzip.open('a.gz')", ["a.gz"]),
    "hdf": ("h5py.File('a.h5'); h5py.File('b.h5', 'r')", ["a.h5", "b.h5"]),
    "a constant": ("NAME = 'a.csv'\nopen(NAME)", ["a.csv"]),
    "a joined constant": ("D = Path('d')\nopen(D / 'a.csv')", ["d/a.csv"]),
    "in a function": ("def f():\n    return open('a')", ["a"]),
    "printed too": ("print('a')\nopen('a')", ["a"]),
    "twice": ("open('a'); open('./a')", ["a"]),
    "absolute": ("open('/data/a')", ["/data/a"]),
    "written": ("open('a', 'w'); open('a')", []),
    "appended": ("open('a', 'a+')", []),
    "mode unknown": ("open('a', m)", []),
    "made by pandas": ("df.to_csv('a'); pd.read_csv('a')", []),
    "downloaded": ("urlretrieve(url, 'a.zip'); open('a.zip')", []),
    "by a command": ("subprocess.run('wget -O a.zip x', shell=True); open('a.zip')", []),
    "in a folder that is made": ("os.makedirs('d'); open('d/a')", []),
    "in a folder that is filled": ("z.extractall('d'); open('d/e/a')", []),
    "looked for": ("if os.path.exists('a'):\n    open('a')", []),
    "looked for by a path": ("p = Path('a')\nif p.exists():\n    p.read_text()", []),
    "may be missing": ("try:\n    open('a')\nexcept FileNotFoundError:\n    pass", []),
    "another name": ("open(f'{x}.csv'); open(x)", []),
    "constant set twice": ("N = 'a'\nN = 'b'\nopen(N)", []),
    "parameter of that name": ("N = 'a'\ndef f(N):\n    open(N)", []),
    "address": ("pd.read_csv('https://x/a.csv')", []),
    "pattern": ("pd.read_csv('d/*.csv')", []),
    "query": ("pd.read_sql('select', con)", []),
    "working directory moves": ("os.chdir('/x'); open('a')", []),
    "saved": ("torch.save(m, 'm.pt'); torch.load('m.pt')", []),
    "path written": ("Path('a').write_text('x'); Path('a').read_text()", []),
    "other load": ("model.load('a'); yaml.load('a: 1')", []),
    "str method": ("'a'.join(['b'])", []),
}


@pytest.mark.parametrize("case", READS)
def test_files_that_a_script_expects_are_found(case):
    script, expected = READS[case]
    assert [read.path for read in files_read(script)] == expected


@pytest.fixture
def folder(tmp_path):
    for name in ("here.csv", "outputs/old.csv", ".hidden/key", "data/x.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("path", "linked", "carried", "told"),
    [
        ("here.csv", True, [], None),
        ("./data/../here.csv", True, [], None),
        ("hero.csv", True, [], "'hero.csv', which is not in the notebook's folder. Did you mean 'here.csv'?"),
        ("outputs/old.csv", True, [], "'outputs/old.csv', which the run does not see, as it is in outputs: add --with outputs/old.csv."),
        (".hidden/key", True, [], "'.hidden/key', which the run does not see, as it is in .hidden: add --with .hidden/key."),
        (".hidden/key", True, [".hidden"], None),
        ("../x.csv", True, [], "'../x.csv', outside of the notebook's folder, where the run does not look: use an absolute path, or copy it here."),
        ("/nowhere/x", True, [], "'/nowhere/x', which does not exist."),
        ("here.csv", False, [], "'here.csv', which the target will not have: add --with here.csv."),
        ("here.csv", False, ["here.csv"], None),
        ("data/x.csv", False, ["data/"], None),
        ("data2/x.csv", False, ["data"], "'data2/x.csv', which the target will not have: it is not here either."),
        ("/nowhere/x", False, [], None),
    ],
)  # fmt: skip
def test_a_file_that_will_not_be_there_is_told(path, linked, carried, told, folder, notebook):
    found = capture(f"x = 1\nprint(open({path!r}).read())", notebook(""), title="t")
    lines = missing_files(found, folder, linked=linked, carried=carried)
    assert lines == ([] if told is None else [f"Line 3 of the cell reads {told}"])


def test_a_definition_that_reads_is_named(notebook, folder):
    namespace = notebook("NAME = 'x.csv'\ndef read_it():\n    return open(NAME)")
    found = capture("read_it()", namespace, title="t")
    assert missing_files(found, folder, linked=True, carried=[])[0].startswith("read_it reads 'x.csv', which is not")


def test_an_absolute_path_that_is_here_is_told_for_another_machine(notebook, folder):
    found = capture(f"open({os.path.join(folder, 'here.csv')!r})", notebook(""), title="t")
    assert missing_files(found, folder, linked=True, carried=[]) == []
    assert "a path of this machine" in missing_files(found, folder, linked=False, carried=[])[0]


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("import cv2", "Line 2 of the cell imports cv2, which .* does not have", "%pip install opencv-python"),
        ("x = 1\nfrom skimage.io import imread", "Line 3 of the cell imports skimage", "%pip install scikit-image"),
        ("import nowhere_to_be_found as n", "imports nowhere_to_be_found", "%pip install nowhere_to_be_found"),
        ("import nunpy", "Did you mean numpy?", "%pip install nunpy"),
        ("with open('x') as f:\n    import cv2", "Line 3 of the cell imports cv2", "%pip install opencv-python"),
    ],
)
def test_a_module_that_is_missing_is_refused_with_how_to_install_it(cell, message, hint, notebook, tmp_path):
    notebook("import numpy")
    with pytest.raises(CellException, match=message) as caught:
        check_modules(capture(cell, notebook(""), title="t"), str(tmp_path))
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "cell",
    [
        "import os, sys, numpy.linalg, amlnb, beside, package.part, captured_values",
        "try:\n    import cv2\nexcept ImportError:\n    cv2 = None",
        "def f():\n    import cv2",
        "if False:\n    import cv2",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import cv2",
        "import sys\nsys.path.append('x')\nimport cv2",
    ],
)
def test_imports_that_work_or_may_fail_are_let_pass(cell, notebook, tmp_path):
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "package").mkdir()
    check_modules(capture(cell, notebook(""), title="t"), str(tmp_path))


def test_a_module_that_only_this_kernels_path_finds_is_refused(notebook, tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far_away.py").write_text("x = 1")
    (tmp_path / "book").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    namespace = notebook("import far_away")
    with pytest.raises(CellException, match="imports far_away, which this notebook finds only because"):
        check_modules(capture("far_away.x", namespace, title="t"), str(tmp_path / "book"))
    del sys.modules["far_away"]


def test_a_module_without_a_file_is_refused_by_name(notebook, monkeypatch):
    notebook("import types\nmade = types.ModuleType('made')")
    with pytest.raises(CellException, match=r"made \(module made\): it was made or loaded in this process"):
        capture("made", notebook(""), title="t")
    assert isinstance(sys, types.ModuleType)
