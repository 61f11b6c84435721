import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from amlnb import Experiment, Workspace
from amlnb.notebook import completion
from amlnb.notebook.completion import candidates
from amlnb.store.run_names import short_id


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "inner.ipynb").write_text("")
    (tmp_path / "data.csv").write_text("")
    return Experiment(Workspace.find_or_create()[0], "digits").start_logging(snapshot_directory=None)


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("%%submit --", {"--target", "--out", "--dry-run", "--env"}, {"--gpus", "train.py"}),
        ("%%submit --target ", {"local"}, {"--out"}),
        ("%%submit -t lo", {"local"}, set()),
        ("%%submit --experiment ", {"digits"}, {"local"}),
        ("%%submit --with ", {"data.csv", "src/"}, {"digits"}),
        ("%%submit --out ", {"rate", "first"}, {"_hidden"}),
        ("%%submit --timeout ", set(), {"--out", "local"}),
        ("%submit ", {"train.py", "src/", "--target"}, {"data.csv"}),
        ("%submit src/", {"src/inner.ipynb"}, {"train.py"}),
        ("%submit_config ", {"target=", "reuse=", "--reset"}, set()),
        ("%submit_config reuse=", {"True", "False"}, {"target="}),
        ("%submit_config target=", {"local"}, set()),
        ("%runs ", {"digits"}, set()),
        ("%compare ", {"first", "last"}, {"rate"}),
    ],
)
def test_what_may_stand_there_is_offered(run, line, some, none):
    found = candidates(line, {"rate": 1, "first": run, "_hidden": run})
    assert some <= set(found)
    assert not none & set(found)


def test_runs_are_offered_by_their_short_ids(run):
    assert short_id(run.id) in candidates("%compare first ", {})


def test_where_there_is_no_workspace_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert candidates("%%submit --target ", {}) == ["local"]
    assert candidates("%runs ", {}) == ["-n", "--sort", "--help"]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def shell():
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    yield shell
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%%submit --tar", "--target"),
        ("%%submit --target lo", "local"),
        ("%submit tra", "train.py"),
        ("%submit_config re", "reuse="),
        ("%compare la", "last"),
        ("%compare digits#", "digits#1"),
    ],
)
def test_ipython_asks_us_and_nobody_else(shell, run, text, expected):
    completion.register(shell)
    completion.register(shell)  # as a reload does
    with provisionalcompleter():  # as ipykernel asks
        found = list(shell.Completer.completions(text, len(text)))
    offered = [one.text for one in found]
    assert expected in offered
    assert all(word.startswith(text.split()[-1]) for word in offered)
    assert not any("__" in word for word in offered)
