"""The studio: who may ask it, that it only reads, that it is there when it is asked for and ends when nobody asks."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from urllib.parse import urlencode, urlsplit

import pytest

from amlnb import Experiment, Workspace, host
from amlnb.engine import served_pages
from amlnb.server import studio_key
from amlnb.server.page import page_file
from amlnb.server.table import ROUTES
from tests.server.conftest import Server, wait_until

pytestmark = pytest.mark.slow

PLACES = {"workspace": "0123456789ab", "run": "r1"}


@pytest.fixture
def studio(make_run, workspace, own_cache):
    """A studio that was started because somebody asked for an address."""
    make_run("r1", metrics={"loss": [1.0, 2.0]})
    address = served_pages.page_of(workspace.path)
    return Server(address.partition(served_pages.PAGE)[0], address, studio_key.token())


def raw(studio, path, method="GET", body=None, **headers):
    """Status and headers of an answer, without following where it leads."""
    place = urlsplit(studio.address)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def pid_of(own_cache):
    folder = os.path.join(own_cache, "servers")
    (name,) = [name for name in os.listdir(folder) if name.endswith(".json")]
    with open(os.path.join(folder, name)) as file:
        return json.load(file)["process"]["pid"]


def test_it_serves_its_workspace_and_says_that_it_only_reads(studio, key):
    assert studio.json("amlnb/api/about")["acts"] is False
    assert studio.folder.endswith(f"/amlnb/studio/w/{key}")
    assert studio.json(f"amlnb/api/w/{key}/runs/r1")["can"] == []
    assert [each["key"] for each in studio.json("amlnb/api/workspaces")["workspaces"]] == [key]


def test_no_route_answers_without_the_token(studio):
    for route in ROUTES:
        path = "amlnb/api/" + route.path.format(**PLACES)
        for headers in ({}, {"Authorization": "token wrong"}, {"Authorization": ""}, {"Cookie": "amlnb-studio=x"}):
            status, body, _ = studio.ask(path, method=route.method, body=None, headers=headers, token=False)
            assert status == 403, path
            assert "token" in json.loads(body)["message"]


def test_nothing_acts_there(studio):
    for route in ROUTES:
        if route.acts:
            path = "amlnb/api/" + route.path.format(**PLACES)
            assert studio.ask(path, method=route.method, body=b"{}" if route.body is not None else None)[0] in (
                404,
                405,
            )


def test_a_foreign_name_or_page_is_refused(studio):
    token = {"Authorization": f"token {studio.token}"}
    assert raw(studio, "/amlnb/api/about", **token)[0] == 200
    assert raw(studio, "/amlnb/api/about", Host="evil.example", **token)[0] == 403
    assert raw(studio, "/amlnb/api/about", Origin="http://evil.example", **token)[0] == 403
    assert raw(studio, "/amlnb/api/about", Origin="null", **token)[0] == 403
    assert raw(studio, "/amlnb/api/about", Sec_Fetch_Site="same-site", **token)[0] == 403
    assert raw(studio, "/amlnb/studio/", Host="evil.example", **token)[0] == 403


def test_a_browser_logs_in_by_the_file_and_stays_so(studio, own_cache):
    path = urlsplit(studio.folder).path
    page = studio_key.login_page(studio.address, path)
    assert stat.S_IMODE(os.stat(page).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.join(own_cache, "studio", "token")).st_mode) == 0o600
    form = urlencode({"token": studio.token, "next": path})
    kind = {"Content_Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec_Fetch_Site": "cross-site"}
    status, headers, _ = raw(studio, "/amlnb/login", "POST", form, **kind)
    assert (status, headers["Location"]) == (302, path)
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert "HttpOnly" in headers["Set-Cookie"]
    assert studio.token not in cookie
    assert raw(studio, path, Cookie=cookie)[0] == 200
    assert raw(studio, "/amlnb/api/about", Cookie=cookie)[0] == 200
    assert raw(studio, path)[0] == 403
    wrong = urlencode({"token": "wrong", "next": path})
    assert raw(studio, "/amlnb/login", "POST", wrong, **kind)[0] == 403


@pytest.mark.parametrize("path", ["//evil.example", "http://evil.example", "/amlnb/studio//evil.example", "/\\evil"])
def test_a_login_leads_nowhere_else(studio, path):
    form = urlencode({"token": studio.token, "next": path})
    headers = raw(studio, "/amlnb/login", "POST", form, Content_Type="application/x-www-form-urlencoded")[1]
    assert headers["Location"] == "/amlnb/studio/"


def test_a_token_in_the_address_goes_away(studio):
    status, headers, _ = raw(studio, f"/amlnb/studio/w/x?token={studio.token}")
    assert (status, headers["Location"]) == (302, "/amlnb/studio/w/x")


def test_the_page_is_there_below_every_address(studio):
    token = {"Authorization": f"token {studio.token}"}
    for path in ("", "w/x", "w/x/runs/y", "../../etc/passwd", "%2e%2e%2fserved.py", ".hidden"):
        status, headers, text = raw(studio, f"/amlnb/studio/{path}", **token)
        if status == 200:
            assert b'<base href="/amlnb/studio/">' in text
            assert "script-src 'self'" in headers["Content-Security-Policy"]
        else:
            assert status == 404


def test_files_of_the_page_are_sent_with_their_types(tmp_path):
    (tmp_path / "index.html").write_text("<html><head></head></html>")
    (tmp_path / "page.js").write_text("1")
    assert page_file("page.js", "/b/", str(tmp_path)).content_type in ("text/javascript", "application/javascript")
    assert page_file("../page.js", "/b/", str(tmp_path)).data == b'<html><head><base href="/b/"></head></html>'
    assert b"not built" in page_file("", "/b/", str(tmp_path / "nothing")).data


def test_an_address_stays_when_its_script_has_ended_and_its_studio_was_killed(studio, workspace, own_cache):
    first = pid_of(own_cache)
    assert served_pages.page_of(workspace.path) == studio.folder
    assert pid_of(own_cache) == first
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: host.start_time(first) is None)
    assert served_pages.page_of(workspace.path) == studio.folder
    assert studio.json("amlnb/api/about")["acts"] is False


def test_a_port_that_somebody_else_has_is_passed_over(workspace, own_cache):
    with socket.socket() as other:
        other.bind((served_pages.LOOPBACK, served_pages.first_port(workspace.path)))
        other.listen()
        address = served_pages.page_of(workspace.path)
    assert urlsplit(address).port != served_pages.first_port(workspace.path)
    studio = Server(address.partition(served_pages.PAGE)[0], address, studio_key.token())
    assert studio.json("amlnb/api/about")["acts"] is False


def test_it_ends_when_nobody_asks(workspace, own_cache):
    program = (
        "import asyncio, sys; from amlnb.engine.served_pages import listening;"
        "from amlnb.server.studio import serve, studio_of; data = sys.argv[1];"
        "asyncio.run(serve(studio_of(data), listening(data), idle_s=0.5))"
    )
    subprocess.run([sys.executable, "-c", program, workspace.path], check=True, timeout=120)
    assert not [name for name in os.listdir(os.path.join(own_cache, "servers")) if name.endswith(".json")]


def test_addresses_of_runs_and_experiments_stand_below_that_of_the_workspace(studio, project):
    workspace = Workspace.from_config()
    run = next(iter(Experiment(workspace, "e").get_runs()))
    assert run.get_portal_url() == f"{studio.folder}/runs/r1"
    assert Experiment(workspace, "e").get_portal_url() == f"{studio.folder}/experiments/e"
    assert studio.token not in run.get_portal_url()
    assert served_pages.run_page("x", "a/b?c#d") == "x/runs/a%2Fb%3Fc%23d"


def test_the_token_stays_and_the_cookie_does_not_tell_it(own_cache):
    token = studio_key.token()
    assert len(token) > 30
    assert studio_key.token() == token
    assert studio_key.cookie_of(token) != token


def test_the_jupyter_server_of_this_user_is_preferred(jupyter, workspace):
    address = served_pages.page_of(workspace.path)
    assert address.startswith(jupyter.address + "amlnb/studio/w/")
    path = urlsplit(address).path.removeprefix("/user/ann/")
    status, body, headers = jupyter.ask(path)
    assert status == 200
    assert b'<base href="/user/ann/amlnb/studio/">' in body
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert jupyter.ask("amlnb/api/workspaces")[0] == 200


def test_an_address_is_told_where_no_studio_can_be_started(workspace, monkeypatch):
    monkeypatch.setenv("AMLNB_CACHE_DIR", "/proc/no-such-folder")
    assert urlsplit(served_pages.page_of(workspace.path)).port == served_pages.first_port(workspace.path)


def test_servers_that_were_killed_are_passed_over(workspace, own_cache):
    sleeper = subprocess.Popen(["sleep", "60"])
    record = served_pages.announce_studio(workspace.path, "http://127.0.0.1:1/", sleeper.pid)
    assert served_pages.studio_of(workspace.path) == "http://127.0.0.1:1/"
    sleeper.kill()
    sleeper.wait()
    assert served_pages.studio_of(workspace.path) is None
    assert not os.path.exists(record)


def test_of_two_jupyter_servers_that_above_the_workspace_is_taken(workspace, own_cache, project):
    near = served_pages.announce_jupyter("http://127.0.0.1:1/near/", str(project.parent), "jpserver-1.json")
    with open(near) as file:
        record = json.load(file)
    with open(near.replace(f"jupyter-{os.getpid()}", "jupyter-0"), "w") as file:
        json.dump({**record, "url": "http://127.0.0.1:2/far/", "root": "/nowhere", "time": record["time"] + 9}, file)
    assert served_pages.page_of(workspace.path).startswith("http://127.0.0.1:1/near/amlnb/studio/w/")
    served_pages.withdraw(near)
    assert served_pages.page_of(workspace.path).startswith("http://127.0.0.1:2/far/")
