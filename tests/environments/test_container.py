"""Containers for real: images given and built, scripts in them, whose the outputs are, and what ends them."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.core import edits, layout, states
from amlnb.engine import look, run_side
from amlnb.engine.snapshot import take_snapshot
from amlnb.engine.submit import submit
from amlnb.environments import container_engine, launching
from amlnb.environments.container_builder import ContainerBuilder
from amlnb.errors import EnvironmentBuildException
from amlnb.runner import container
from amlnb.runner.launch import Launch
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.specs.run_spec import RunSpec
from amlnb.store.models import latest_model
from amlnb.store.objects import ObjectStore
from amlnb.store.run_reader import RunReader
from amlnb.store.run_record import run_directories
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.backend_contract import ended, log_of, refreshed, until, wait_for_lines
from amlnb.testing.builder_contract import KeptLog as Log
from amlnb.tracking import create, models
from amlnb.tracking.edits import add_edit

from .container_host import IMAGE, SYSTEM_PYTHON, DockerHost
from .image_registry import serving

NOBODY = 65534
SECRET = "s3cret-value-of-a-variable"

slow = pytest.mark.slow
# Podman has no daemon of another user, and wants to be told of a registry without a certificate; the way of a run is the
# same with both.
docker_only = pytest.mark.parametrize("container_host", [DockerHost], ids=["docker"], indirect=True)


def launch_of(folder, **options):
    """A launch as the courier makes it, for the text of a script."""
    definition = {"script": "train.py", "arguments": ["--rate", "0.1"], **options.pop("definition", {})}
    record = {"id": "run-1", "experiment": "exp", "definition": definition}
    directory = create.create_run(str(folder / "runs"), record)
    told = {
        "directory": directory,
        "objects": str(folder / "objects"),
        "environ": {
            "PATH": os.environ["PATH"],
            "HOME": "/home/me",
            "PYTHONPATH": "/mine",
            "TOKEN": SECRET,
            "TZ": "UTC",
        },
        "run_side": str(folder / "side"),
        "environment": {
            "kind": "container",
            "engine": "/usr/bin/docker",
            "image": "sha256:1",
            "interpreter": "/py",
            **options,
        },
    }
    return Launch(told)


# -- the command line --------------------------------------------------------------------------------------------------


def test_values_of_variables_do_not_stand_in_the_command_line(tmp_path):
    launch = launch_of(tmp_path, definition={"environment_variables": {"API_KEY": SECRET, "EMPTY": ""}})
    argv, environ = container.argv(launch, "/work"), container.client_environment(launch)
    assert not any(SECRET in word for word in argv)
    assert argv[argv.index("API_KEY") - 1] == "-e"
    assert (environ["API_KEY"], environ["EMPTY"]) == (SECRET, "")
    assert argv[-5:] == ["sha256:1", "/py", "train.py", "--rate", "0.1"]


@pytest.mark.parametrize(
    "name", ["DOCKER_PASSWORD", "CONTAINER_TOKEN", "HOMEPAGE_TOKEN", "LD_TOKEN", "PATH_TO_KEY", "XDG_KEY"]
)
def test_a_name_that_begins_as_one_of_the_clients_is_none_of_them(tmp_path, name):
    launch = launch_of(tmp_path, definition={"environment_variables": {name: SECRET}})
    argv = container.argv(launch, "/work")
    assert not any(SECRET in word for word in argv)
    assert argv[argv.index(name) - 1] == "-e"
    assert container.client_environment(launch)[name] == SECRET


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True), st.text("abc $'\"\\\n=,", min_size=6)))
def test_whatever_variables_are_called_they_reach_the_container(variables):
    with tempfile.TemporaryDirectory() as folder:
        launch = launch_of(pathlib.Path(folder), definition={"environment_variables": variables})
        argv, environ = container.argv(launch, "/work"), container.client_environment(launch)
    told = [argv[at + 1] for at, word in enumerate(argv[: argv.index("sha256:1")]) if word == "-e"]
    inside = {word.partition("=")[0]: word.partition("=")[2] if "=" in word else environ[word] for word in told}
    assert len(inside) == len(told)
    for name, value in variables.items():
        assert inside[name] == value


def test_of_the_hosts_variables_only_those_that_mean_the_same_reach_the_container(tmp_path):
    launch = launch_of(tmp_path)
    argv = container.argv(launch, "/work")
    names = {argv[at + 1].partition("=")[0] for at, word in enumerate(argv) if word == "-e"}
    assert "TZ" in names
    assert not {"PATH", "TOKEN"} & names
    assert {"AMLNB_RUN_ID", "AMLNB_RUN_SIDE", "PYTHONPATH", "PYTHONUNBUFFERED"} <= names
    assert launch.environment()["PYTHONPATH"] == launch.boot
    assert container.client_environment(launch)["HOME"] == "/home/me"


def test_variables_that_the_client_goes_by_keep_their_values_there(tmp_path):
    asked = {"HOME": "/inside", "DOCKER_HOST": "tcp://inside", "PATH": "/inside/bin"}
    launch = launch_of(tmp_path, definition={"environment_variables": asked})
    argv, environ = container.argv(launch, "/work"), container.client_environment(launch)
    assert {f"{name}={value}" for name, value in asked.items()} <= set(argv)
    assert [word for word in argv if word.startswith("HOME=")] == ["HOME=/inside"]
    assert environ["HOME"] == "/home/me"
    assert "DOCKER_HOST" not in environ


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (None, ["--user", f"{os.getuid()}:{os.getgid()}"]),
        ("caller", ["--user", f"{os.getuid()}:{os.getgid()}"]),
        ("root", ["--user", "0:0"]),
        ("keep-id", ["--userns", "keep-id", "--user", f"{os.getuid()}:{os.getgid()}"]),
    ],
)
def test_outputs_are_to_be_the_callers(tmp_path, user, words):
    argv = container.argv(launch_of(tmp_path, user=user), "/work")
    at = argv.index(words[0])
    assert argv[at : at + len(words)] == words
    assert argv.count("--user") == 1


def test_folders_are_mounted_under_their_own_paths_whatever_they_are_called(tmp_path):
    folder = tmp_path / 'a, "b": c'
    linked = folder / "linked"
    linked.mkdir(parents=True)
    launch = launch_of(
        folder,
        definition={"link_directory": str(linked), "docker": {"arguments": ["--cpus", "1"], "shm_size": "8g"}},
        gpus=True,
    )
    argv = container.argv(launch, "/work")
    mounts = [argv[at + 1] for at, word in enumerate(argv) if word == "--mount"]
    doubled = str(folder).replace('"', '""')
    assert [mount.endswith(",readonly") for mount in mounts] == [False, True, False]
    assert mounts[2] == f'type=bind,"source={doubled}/linked","target={doubled}/linked"'
    assert (argv[argv.index("--gpus") + 1], argv[argv.index("--shm-size") + 1]) == ("all", "8g")
    assert argv[argv.index("sha256:1") - 2 : argv.index("sha256:1")] == ["--cpus", "1"]


@pytest.mark.parametrize(
    ("status", "inside"), [(0, 0), (256, 256), (137 << 8, 9), (143 << 8, 15), (9, 9), (None, None)]
)
def test_an_exit_code_that_stands_for_a_signal_is_told_as_one(status, inside):
    assert container.status_inside(status) == inside


# -- engines -----------------------------------------------------------------------------------------------------------


def client(folder, name, text):
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{text}")
    path.chmod(0o755)


def test_without_an_engine_what_each_of_them_said_is_told(tmp_path):
    client(
        tmp_path,
        "docker",
        'print(\'{"ServerVersion": "", "ServerErrors": ["Cannot connect to the daemon"]}\'); sys.exit(1)',
    )
    with pytest.raises(EnvironmentBuildException) as told:
        container_engine.find({"PATH": str(tmp_path)})
    assert "docker: Cannot connect to the daemon" in told.value.message
    assert "podman: there is no such program" in told.value.message
    assert "AMLNB_CONTAINER_ENGINE" in told.value.hint


def test_the_engine_that_is_named_is_the_only_one_asked(tmp_path):
    client(tmp_path, "docker", 'print(\'{"ServerVersion": "1"}\')')
    client(tmp_path, "broken", "sys.exit(3)")
    with pytest.raises(EnvironmentBuildException, match="broken: it ended with exit status 3"):
        container_engine.find({"PATH": str(tmp_path), "AMLNB_CONTAINER_ENGINE": "broken"})
    assert container_engine.find({"PATH": str(tmp_path)}).name == "docker"


@pytest.mark.parametrize(
    ("told", "name", "user", "gpus"),
    [
        ({"ServerVersion": "20.10", "Runtimes": {"runc": {}}}, "docker", "caller", False),
        (
            {"ServerVersion": "28.1", "SecurityOptions": ["name=rootless"], "Runtimes": {"nvidia": {}}},
            "docker",
            "root",
            True,
        ),
        ({"host": {"security": {"rootless": True}}, "version": {"Version": "4.3.1"}}, "podman", "keep-id", False),
        ({"host": {"security": {"rootless": False}}, "version": {"Version": "5.0"}}, "podman", "caller", False),
    ],
)
def test_what_an_engine_says_of_itself_decides_whose_files_are(tmp_path, told, name, user, gpus):
    client(tmp_path, "docker", f"print({json.dumps(told)!r})")
    engine = container_engine.find({"PATH": str(tmp_path)})
    assert (engine.name, engine.user, engine.gpus) == (name, user, gpus)


# -- images ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def builder(container_host):
    return ContainerBuilder(container_host.environ)


@slow
def test_an_image_is_locked_by_its_id_and_looked_into(builder, container_host, tmp_path):
    log, prefix = Log(), str(tmp_path / "environment")
    os.mkdir(prefix)
    lock = builder.lock(EnvironmentSpec(image=IMAGE), log)
    assert lock.image == container_host.ask("image", "inspect", "--format", "{{.Id}}", IMAGE).stdout.strip()
    assert (lock.builder, lock.minor) == ("container", "3.11")
    assert builder.lock(EnvironmentSpec(image=IMAGE), log).key == lock.key
    builder.build(lock, prefix, log)
    told = launching.told(prefix, lock)
    assert {**told, "engine": os.path.basename(told["engine"])} == {
        "kind": "container",
        "engine": container_host.client,
        "image": lock.image,
        "interpreter": "/usr/bin/python",
        "user": "caller",
        "gpus": False,
        "init": True,
    }
    version = subprocess.run(
        [f"{prefix}/bin/python", "--version"], env=container_host.environ, capture_output=True, text=True, check=True
    )
    assert version.stdout.strip() == f"Python {lock.python}"


@slow
def test_a_dockerfile_becomes_an_image_and_its_lines_are_told(builder, container_host, tmp_path):
    dockerfile = (
        f"FROM {IMAGE}\nENV MADE=here\nRUN echo building; python3 -c \"open('/made.txt', 'w').write('made')\"\n"
    )
    log = Log()
    lock = builder.lock(EnvironmentSpec(dockerfile=dockerfile), log)
    assert "building" in log.told
    assert builder.lock(EnvironmentSpec(dockerfile=dockerfile), Log()).key == lock.key
    said = container_host.ask("run", "--rm", "--network=none", lock.image, "cat", "/made.txt").stdout
    assert said == "made"


@slow
@pytest.mark.parametrize(
    ("dockerfile", "words", "hint"),
    [
        (f"FROM {IMAGE}\nRUN exit 3\n", "RUN exit 3", None),
        (f"FROM {IMAGE}\nCOPY train.py /\n", "train.py", "find no files"),
        (f"FROM {IMAGE}\nNOSUCH x\n", "NOSUCH", "correct the Dockerfile"),
        ("FROM 127.0.0.1:9/no/such:image\n", "connection refused", "cannot be reached"),
        (
            f"FROM {IMAGE}\nRUN python3 -c \"import os; os.unlink('/usr/bin/python3'); os.unlink('/usr/bin/python')\"",
            "no Python",
            "path",
        ),
    ],
)
def test_a_dockerfile_that_cannot_be_built_is_told_in_the_engines_words(builder, dockerfile, words, hint):
    with pytest.raises(EnvironmentBuildException) as told:
        builder.lock(EnvironmentSpec(dockerfile=dockerfile), Log())
    assert words in told.value.message
    assert (hint or "None") in str(told.value.hint)


@slow
def test_an_image_that_cannot_be_pulled_is_told_without_its_password(container_host):
    builder = ContainerBuilder(container_host.environ, {"127.0.0.1:9": f"me:{SECRET}"})
    log = Log()
    with pytest.raises(EnvironmentBuildException) as told:
        builder.lock(EnvironmentSpec(image="127.0.0.1:9/team/image:2"), log)
    assert "connection refused" in told.value.message
    assert SECRET not in log.text + str(told.value)


@slow
@docker_only
def test_an_image_of_a_registry_with_a_password_is_had_and_had_again(container_host, tmp_path):
    made = ContainerBuilder(container_host.environ).lock(EnvironmentSpec(dockerfile=f"FROM {IMAGE}\nENV A=1\n"), Log())
    saved = subprocess.run(
        ["docker", "save", made.image], env=container_host.environ, capture_output=True, check=True
    ).stdout
    with serving(saved, "me", SECRET) as address:
        spec = EnvironmentSpec(image=f"{address}/team/image:2")
        container_host.ask("rmi", "--force", made.image)
        with pytest.raises(EnvironmentBuildException) as told:
            ContainerBuilder(container_host.environ).lock(spec, Log())
        assert "docker login" in told.value.hint
        builder = ContainerBuilder(container_host.environ, {address: f"me:{SECRET}"})
        log = Log()
        lock = builder.lock(spec, log)
        assert lock.image == made.image
        # On a machine that does not have it, the lock alone says where it is from.
        container_host.ask("rmi", "--force", made.image)
        builder.build(lock, str(tmp_path / "environment"), log)
        assert container_host.ask("image", "inspect", "--format", "{{.Id}}", made.image).stdout.strip() == made.image
    assert SECRET not in log.text + json.dumps(lock.to_dict())


@slow
def test_an_image_that_is_gone_and_that_nobody_else_has_is_told(builder, tmp_path):
    lock = dataclasses.replace(builder.lock(EnvironmentSpec(image=IMAGE), Log()), image=f"sha256:{'0' * 64}")
    with pytest.raises(EnvironmentBuildException, match="no registry has it") as told:
        builder.build(lock, str(tmp_path / "environment"), Log())
    assert "lock --upgrade" in told.value.hint


# -- runs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(container_host, tmp_path, monkeypatch):
    """Submit the text of a script to run in the image."""
    for name, value in container_host.variables.items():
        monkeypatch.setenv(name, value)
    workspace = open_directory(str(tmp_path / "workspace" / ".amlnb"), local_ids("containers"))
    readers = []

    def start(text, environment=None, **options):
        source = tmp_path / f"source {len(readers)}"
        source.mkdir()
        (source / "train.py").write_text(textwrap.dedent(text))
        environment = environment or EnvironmentSpec(image=IMAGE)
        spec = RunSpec("containers", str(source), script="train.py", environment=environment, **options)
        readers.append(RunReader(submit(spec, workspace)))
        return readers[-1]

    yield start
    for reader in readers:
        look.cancel(reader, "test")
    for reader in readers:
        ended(reader)


@pytest.fixture
def run(container_host, tmp_path):
    """Start a runner for the text of a script in the image."""
    side = run_side.stage(str(tmp_path))
    told = built(container_host, tmp_path)
    runners = []

    def start(text, **definition):
        objects = ObjectStore(tmp_path / "objects")
        source = tmp_path / f"source {len(runners)}"
        source.mkdir()
        (source / "train.py").write_text(textwrap.dedent(text))
        snapshot = take_snapshot(source, objects, str(tmp_path / "snapshots")).id
        definition = {"script": "train.py", **definition}
        record = {"id": f"run-{len(runners)}", "experiment": "exp", "snapshot": snapshot, "definition": definition}
        directory = create.create_run(str(tmp_path / "runs"), record)
        launch = {"directory": directory, "objects": objects.root, "run_side": side, "environment": told}
        path = tmp_path / f"launch-{len(runners)}.json"
        path.write_text(json.dumps({**launch, "environ": container_host.environ}))
        runners.append(subprocess.Popen([sys.executable, "-m", "amlnb.runner", path], env=container_host.environ))
        return RunReader(directory)

    yield start
    for runner in runners:
        runner.terminate()
        runner.wait(60)


def finished(reader):
    """Wait for a run's seal."""
    until(lambda: refreshed(reader).facts().sealed, "the end of the run")
    return reader


@slow
@docker_only
def test_a_script_in_a_container_completes_and_everything_of_it_is_here(submitted, container_host):
    reader = ended(
        submitted(
            """
            import os, sys
            from amlnb import Run
            run = Run.get_context()
            for i in range(100): run.log("loss", 1 / (i + 1), step=i)
            print(sys.version.split()[0], sys.argv[1:], os.getcwd(), os.environ["API_KEY"], os.path.exists(os.environ["NOT_INSIDE"]))
            open("outputs/model.txt", "w").write("model")
            """,
            arguments=("--rate", 0.1),
            environment_variables={"API_KEY": SECRET, "NOT_INSIDE": sys.prefix},
        )
    )
    assert (reader.facts().state, reader.facts().error) == (states.COMPLETED, None)
    version, rest = log_of(reader).strip().split(" ", 1)
    assert version.startswith("3.11.")
    assert rest == f"['--rate', '0.1'] {reader.directory}/work {SECRET} False"
    assert reader.metrics("loss")["loss"][-1] == 0.01
    with open(f"{reader.directory}/work/outputs/model.txt", encoding="utf-8") as file:
        assert file.read() == "model"
    assert container_host.running() == []


@slow
def test_a_script_in_a_container_sees_its_run_and_leaves_its_outputs(run, container_host):
    reader = finished(
        run(
            """
            import os
            from amlnb import Run
            Run.get_context().log("loss", 0.5)
            print(os.getcwd(), os.environ["API_KEY"], os.path.exists(os.environ["NOT_INSIDE"]), os.environ["HOME"])
            open("outputs/model.txt", "w").write("model")
            """,
            environment_variables={"API_KEY": SECRET, "NOT_INSIDE": sys.prefix},
        )
    )
    assert (reader.facts().state, reader.facts().error) == (states.COMPLETED, None)
    assert log_of(reader) == f"{reader.directory}/work {SECRET} False /tmp\n"
    assert reader.metrics("loss") == {"loss": 0.5}
    assert os.stat(f"{reader.directory}/work/outputs/model.txt").st_uid == os.getuid()
    assert container_host.running() == []


@slow
def test_models_and_children_of_a_script_in_a_container_are_in_the_workspace_at_its_end(run, tmp_path):
    (tmp_path / "earlier").write_text("registered before")
    record = {"name": "earlier", "path": "model.txt", "created": 1.0}
    models.register(str(tmp_path / "models"), record, {"model.txt": str(tmp_path / "earlier")})
    reader = finished(
        run(
            """
            from amlnb import Run
            from azureml.core import Model
            run = Run.get_context()
            print(open(Model.get_model_path("earlier")).read())
            open("outputs/model.txt", "w").write("model")
            print(run.register_model("net", "outputs/model.txt").version)
            with run.child_run("kid") as kid:
                kid.log("x", 1)
            """
        )
    )
    assert log_of(reader) == "registered before\nNone\n"
    data = os.path.dirname(os.path.dirname(reader.directory))
    model = latest_model(os.path.join(data, "models"), "net")
    assert (model.version, model.run_id) == (1, reader.id)
    assert os.listdir(os.path.join(model.directory, "files")) == ["model.txt"]
    (kid,) = (RunReader(path) for path in run_directories(os.path.join(data, "runs")) if path != reader.directory)
    kid.refresh()
    assert (kid.record["parent"], kid.facts().state, kid.metrics()) == (reader.id, states.COMPLETED, {"x": 1})


@slow
def test_an_error_in_a_container_is_told_with_its_values(run):
    reader = finished(run("batch = 17\nraise ValueError(f'no batch of {batch}')\n"))
    assert (reader.facts().state, reader.facts().exit_code) == (states.FAILED, 1)
    assert reader.facts().error["message"] == "ValueError: no batch of 17"


@slow
def test_a_script_killed_in_a_container_is_told_as_killed(run):
    reader = finished(run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"))
    assert (reader.facts().state, reader.facts().error["code"]) == (states.FAILED, "Signal")


@slow
def test_a_stubborn_script_in_a_container_is_ended_by_a_cancel(run, container_host):
    reader = run(
        "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: print('term', flush=True))\n"
        "print('ready', flush=True)\nwhile True: time.sleep(0.1)\n",
        grace_s=1,
    )
    wait_for_lines(reader, 1)
    assert len(container_host.running()) == 1
    add_edit(reader.directory, {"op": edits.CANCEL})
    assert finished(reader).facts().state == states.CANCELED
    # Once, or twice: containers of podman are below its client, and hear a signal from both.
    assert log_of(reader).startswith("ready\nterm")
    until(lambda: container_host.running() == [], "the end of the container")


@slow
@docker_only
def test_a_container_does_not_outlive_its_runner(submitted, container_host):
    reader = submitted("import time\nprint('ready', flush=True)\ntime.sleep(600)\n")
    wait_for_lines(reader, 1)
    with open(f"{reader.directory}/{layout.ATTEMPTS}/1.json", encoding="utf-8") as file:
        os.kill(json.load(file)["pid"], signal.SIGKILL)
    assert ended(reader).facts().state == states.FAILED
    until(lambda: container_host.running() == [], "the end of the container")


@slow
@docker_only
def test_an_image_that_is_removed_before_the_run_begins_is_told(submitted, container_host):
    dockerfile = f"FROM {IMAGE}\nENV ONLY=once\n"
    environment = EnvironmentSpec(dockerfile=dockerfile)
    assert ended(submitted("print('first')\n", environment)).facts().state == states.COMPLETED
    lock = ContainerBuilder(container_host.environ).lock(environment, Log())
    container_host.ask("rmi", lock.image)
    reader = ended(submitted("print('second')\n", environment))
    assert refreshed(reader).facts().error["code"] == "StartFailed"
    assert "could not be started" in reader.facts().error["message"]


@pytest.fixture
def folder_of_nobody():
    """A folder that another user can get to: pytest's own are closed to others."""
    folder = tempfile.mkdtemp(prefix="amlnb-")
    os.chmod(folder, 0o755)
    yield pathlib.Path(folder)
    shutil.rmtree(folder)


@slow
@docker_only
def test_outputs_are_owned_by_who_asked(container_host, tmp_path, folder_of_nobody):
    os.chmod(container_host.folder, 0o755)
    os.chmod(f"{container_host.folder}/sock", 0o666)  # of docker's daemon, which runs as root
    folder = str(folder_of_nobody)
    side = run_side.stage(folder)
    record = {"id": "of-nobody", "experiment": "exp", "definition": {"command": "id -u; echo x >outputs/model"}}
    directory = create.create_run(f"{folder}/runs", record)
    environ = {**container_host.environ, "HOME": folder}
    launch = {
        "directory": directory,
        "objects": folder,
        "run_side": side,
        "environment": built(container_host, tmp_path),
    }
    path = folder_of_nobody / "launch.json"
    path.write_text(json.dumps({**launch, "environ": environ}))
    for top, folders, names in os.walk(folder):
        for name in [*folders, *names, ""]:
            os.chown(os.path.join(top, name), NOBODY, NOBODY, follow_symlinks=False)
    subprocess.run(
        [SYSTEM_PYTHON, "-m", "amlnb.runner", path],
        env={**environ, "PYTHONPATH": side, "AMLNB_CACHE_DIR": f"{folder}/cache"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        check=True,
    )
    reader = RunReader(directory)
    assert (reader.facts().state, log_of(reader)) == (states.COMPLETED, f"{NOBODY}\n")
    assert os.stat(f"{directory}/work/outputs/model").st_uid == NOBODY


def built(container_host, tmp_path):
    """What the runner is told of the image."""
    builder, prefix = ContainerBuilder(container_host.environ), str(tmp_path / "environment")
    lock = builder.lock(EnvironmentSpec(image=IMAGE), Log())
    builder.build(lock, prefix, Log())
    return launching.told(prefix, lock)
