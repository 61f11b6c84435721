"""What goes wrong between here and there: the run goes on, the state says what is known, and errors say what to do."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from amlnb import host
from amlnb.compute.backend import Job, Standing
from amlnb.compute.ssh import SshBackend
from amlnb.compute.ssh_command import SshTarget, control_path, ssh_arguments
from amlnb.core import layout, states
from amlnb.engine import look, run_side, targets
from amlnb.engine.submit import submit
from amlnb.specs.run_spec import RunSpec
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.backend_contract import ended, log_of, refreshed, until, wait_for_lines

pytestmark = pytest.mark.ssh

COUNT = (
    "import os, sys, time\nfrom amlnb import Run\nrun = Run.get_context()\nprint('started', flush=True)\n"
    "for i in range(int(sys.argv[1])):\n    run.log('i', i)\n    print(i, flush=True)\n    time.sleep(0.01)\n"
    "open('outputs/big.bin', 'wb').write(os.urandom(3_000_000))\n"
)


@pytest.fixture
def workspace(near_folder, tmp_path):
    return open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh"))


@pytest.fixture
def start(workspace, far_host, tmp_path):
    readers = []

    def start(text, *arguments, **changes):
        name = f"far{len(readers)}"
        targets.write(workspace.path, name, far_host.definition(**changes))
        source = tmp_path / f"source{len(readers)}"
        source.mkdir()
        (source / "train.py").write_text(text)
        spec = RunSpec("faults", str(source), script="train.py", arguments=arguments, target=name)
        readers.append(RunReader(submit(spec, workspace)))
        return readers[-1]

    yield start
    for reader in readers:
        look.cancel(reader, "test")


def master_pid(definition):
    target = SshTarget.parse(definition)
    command = [*ssh_arguments(target, control_path(target, host.cache_dir())), "-O", "check", target.host]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    found = re.search(r"pid=(\d+)", answer)
    return int(found.group(1)) if found else None


def home(far_host, reader):
    return os.path.join(far_host.root, layout.RUNS, os.path.basename(reader.directory))


def assert_complete(far_host, reader, count):
    assert ended(reader).facts().state == states.COMPLETED
    assert reader.metrics("i")["i"] == list(range(count))
    assert log_of(reader).split() == ["started", *map(str, range(count))]
    for path, size in reader.final["sizes"].items():
        with (
            open(os.path.join(reader.directory, path), "rb") as here,
            open(f"{home(far_host, reader)}/{path}", "rb") as there,
        ):
            data = here.read()
            assert data == there.read(), path
        assert len(data) == size, path


def test_a_connection_killed_many_times_costs_no_byte(start, far_host):
    reader = start(COUNT, 300)
    for _ in range(3):
        wait_for_lines(reader, len(log_of(reader).splitlines()) + 1)
        until(lambda: master_pid(far_host.definition()) is not None, "a connection")
        os.kill(master_pid(far_host.definition()), signal.SIGKILL)
        assert not reader.facts().sealed
    assert_complete(far_host, reader, 300)


def test_while_the_host_cannot_be_reached_the_run_goes_on_and_the_state_says_so(start, far_host):
    reader = start(COUNT, 300)
    wait_for_lines(reader, 2)
    far_host.stop()
    try:
        os.kill(master_pid(far_host.definition()), signal.SIGKILL)
        until(lambda: refreshed(reader).facts().state == states.NOT_RESPONDING, "the state NotResponding")
        assert "cannot be reached" in reader.facts().reason or "is cut" in reader.facts().reason
        until(lambda: os.path.exists(f"{home(far_host, reader)}/final.json"), "the end of the run over there")
        assert not os.path.exists(f"{reader.directory}/final.json")
    finally:
        far_host.start()
    assert_complete(far_host, reader, 300)


def test_a_partition_is_noticed_and_survived(start, far_host):
    # A target of its own connection: the others' would hang with it.
    reader = start(COUNT, 300, options={"ServerAliveInterval": 1, "ServerAliveCountMax": 1, "ConnectTimeout": 2})
    wait_for_lines(reader, 2)
    stopped = [int((far_host.folder / "sshd.pid").read_text()), *[session.pid for session in far_host.sessions()]]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: refreshed(reader).facts().state == states.NOT_RESPONDING, "the state NotResponding")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert_complete(far_host, reader, 300)


def test_a_run_submitted_while_the_host_is_away_starts_when_it_is_back(start, far_host):
    far_host.stop()
    try:
        reader = start(COUNT, 3, options={"Compression": "no"})
        until(lambda: "refused" in str(refreshed(reader).facts().reason), "the reason")
        assert not reader.facts().sealed
    finally:
        far_host.start()
    assert_complete(far_host, reader, 3)


def test_a_home_that_was_deleted_is_a_failed_run(start, far_host):
    reader = start("import time\nprint('started', flush=True)\ntime.sleep(600)\n")
    wait_for_lines(reader, 1)
    until(lambda: reader.runner() is not None, "the runner's identity")
    os.kill(reader.runner()["pid"], signal.SIGKILL)
    shutil.rmtree(home(far_host, reader))
    assert ended(reader).facts().state == states.FAILED


def failure(reader):
    facts = ended(reader).facts()
    assert facts.state == states.FAILED
    return f"{facts.error['message']}\nhint: {facts.error.get('hint')}"


def test_a_host_key_that_changed_is_refused_with_what_to_do(start, far_host):
    other = (far_host.folder / "other_key.pub").read_text()
    (far_host.folder / "changed_hosts").write_text(f"[127.0.0.1]:{far_host.port} {other}")
    told = failure(start("", config_file=far_host.client_config(known_hosts="changed_hosts")))
    assert "shows another host key than before" in told
    assert "ssh-keygen -R" in told


def test_an_unknown_host_key_is_refused_with_what_to_do(start, far_host):
    (far_host.folder / "no_hosts").write_text("")
    told = failure(start("", config_file=far_host.client_config(known_hosts="no_hosts")))
    assert "is not known here" in told
    assert "in a terminal" in told


def test_a_key_that_does_not_let_us_in_is_told(start, far_host):
    told = failure(start("", config_file=far_host.client_config(key="other_key")))
    assert "did not let us in" in told
    assert "must work in a terminal" in told


def test_a_host_without_that_python_is_told(start):
    told = failure(start("", python="/opt/no/python3"))
    assert "there is no Python at '/opt/no/python3'" in told
    assert "'python'" in told


def test_a_python_that_is_too_old_is_told(start):
    old = os.path.join(os.environ.get("PYENV_ROOT", ""), "versions", "2.7.18", "bin", "python")
    if not os.path.exists(old):
        pytest.skip("there is no Python 2.7 here")
    # A root of its own: where our files are already, nobody asks the version again.
    assert "is Python 2.7.18; 3.7 is the oldest" in failure(start("", python=old, root="far-old-python"))


@pytest.mark.parametrize("version", ["3.7.16", "3.13.0"])
def test_the_far_end_may_have_another_python(start, version):
    python = os.path.join(os.environ.get("PYENV_ROOT", ""), "versions", version, "bin", "python")
    if not os.path.exists(python):
        pytest.skip(f"there is no Python {version} here")
    reader = start(
        "import sys\nfrom amlnb import Run\nRun.get_context().log('v', sys.version_info[1])\n", python=python
    )
    assert ended(reader).metrics() == {"v": int(version.split(".")[1])}


def test_a_root_that_cannot_be_written_is_told(start, tmp_path):
    (tmp_path / "file").write_text("")
    assert "could not start" in failure(start("", root=str(tmp_path / "file" / "root")))


def test_a_definition_that_is_wrong_fails_the_run(start):
    assert "'hots'" in failure(start("", hots="typo"))


def test_what_a_login_prints_is_passed_over(start, far_host, tmp_path):
    noisy = tmp_path / "noisy python"
    noisy.write_text(
        f'#!/bin/sh\necho "Welcome to far-host"\nprintf "no line end"\nexec {far_host.definition()["python"]} "$@"\n'
    )
    noisy.chmod(0o755)
    reader = start("print('ran')", python=str(noisy))
    assert ended(reader).facts().state == states.COMPLETED


@pytest.fixture
def job(start, far_host, workspace):
    """A run that has ended, as a back end sees it, with an empty mirror."""
    reader = ended(start(COUNT, 50))
    mirror = reader.directory + "-again"
    os.makedirs(f"{mirror}/edits")
    shutil.copy(f"{reader.directory}/run.json", mirror)
    renamed = os.path.join(os.path.dirname(mirror), "elsewhere", os.path.basename(reader.directory))
    os.makedirs(os.path.dirname(renamed))
    os.rename(mirror, renamed)
    return Job(
        run_id=reader.id,
        directory=renamed,
        attempt=1,
        snapshot=reader.record["snapshot"],
        objects=workspace.objects,
        environ={},
        workspace={},
        run_side=run_side.stage(host.cache_dir()),
        target=far_host.definition(),
    )


def test_two_mirrors_of_one_home_are_harmless(job, far_host):
    backends = [SshBackend(job.target, host.cache_dir()) for _ in range(2)]
    try:
        for _ in range(3):
            for backend in backends:
                backend.read([job])
        assert [backend.poll([job])[job.run_id].standing for backend in backends] == [Standing.ENDED] * 2
    finally:
        for backend in backends:
            backend.close()
    assert_complete(far_host, RunReader(job.directory), 50)


def test_a_mirror_with_wrong_bytes_is_mended_before_it_counts_as_complete(job, far_host):
    os.makedirs(f"{job.directory}/work/outputs")
    os.makedirs(f"{job.directory}/user_logs")
    for path, content in (("work/outputs/big.bin", b"x" * 3_000_000), ("user_logs/std_log.txt", b"y" * 10)):
        with open(f"{job.directory}/{path}", "wb") as file:
            file.write(content)
    backend = SshBackend(job.target, host.cache_dir())
    try:
        backend.read([job])
        assert not os.path.exists(f"{job.directory}/final.json")
        backend.read([job])
    finally:
        backend.close()
    assert_complete(far_host, RunReader(job.directory), 50)


def test_what_a_client_adds_to_the_mirror_stays(job):
    os.makedirs(f"{job.directory}/artifacts")
    with open(f"{job.directory}/artifacts/mine.txt", "w") as file:
        file.write("uploaded from here")
    backend = SshBackend(job.target, host.cache_dir())
    try:
        backend.read([job])
        assert backend.poll([job])[job.run_id].standing is Standing.ENDED
    finally:
        backend.close()
    assert os.path.exists(f"{job.directory}/artifacts/mine.txt")


def test_an_object_that_is_damaged_on_its_way_is_not_kept(job, far_host, tmp_path):
    backend = SshBackend(job.target, host.cache_dir())
    try:
        link = backend._connected(job)
        link.send([({"op": "put", "sha": "ab" * 32, "at": 0, "last": True}, b"something else")])
        with pytest.raises(Exception, match="damaged on its way"):
            link.ask({"op": "missing", "snapshot": None})
        assert not os.path.exists(f"{far_host.root}/objects/ab/{'ab' * 31}")
    finally:
        backend.close()
