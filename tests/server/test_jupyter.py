"""The routes behind Jupyter Server: its authentication, its base URL, its protection of cookies."""

import http.cookiejar
import json
import os
import socket
import struct
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit

import pytest

from amlnb.server.table import ROUTES
from amlnb.store.known_workspaces import key_of
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.store_contract import record
from amlnb.tracking.create import create_run
from tests.server.conftest import TOKEN, running_jupyter

pytestmark = pytest.mark.slow

PLACES = {"workspace": "0123456789ab", "run": "r1"}


def address(route):
    return "amlnb/api/" + route.path.format(**PLACES)


def test_it_serves_under_the_base_url(jupyter):
    told = jupyter.json("amlnb/api/about")
    assert told["acts"] is True
    assert told["page"] == "/user/ann/amlnb/studio/"


def test_the_workspace_of_a_folder_is_served(jupyter):
    made = open_directory(str(jupyter.folder / "here" / ".amlnb"), local_ids("here"))
    told = jupyter.json("amlnb/api/workspaces?folder=here")["workspaces"]
    assert (told[0]["name"], told[0]["path"], told[0]["current"]) == ("here", made.path, True)
    runs = jupyter.json(f"amlnb/api/w/{told[0]['key']}/runs")
    assert (runs["runs"], runs["total"]) == ([], 0)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_route_answers_without_a_token(jupyter, route):
    body = b"{}" if route.acts else None
    assert jupyter.ask(address(route), method=route.method, body=body, token=False)[0] == 403
    wrong = {"Authorization": "token wrong"}
    assert jupyter.ask(address(route), method=route.method, body=body, headers=wrong, token=False)[0] == 403


@pytest.fixture(scope="module")
def cookies(jupyter):
    """Cookies of a browser that has logged in, and the XSRF token among them."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with opener.open(f"{jupyter.address}amlnb/studio/?token={jupyter.token}", timeout=60) as page:
        page.read()
    found = {cookie.name: cookie.value for cookie in jar}
    assert "_xsrf" in found
    return "; ".join(f"{name}={value}" for name, value in found.items()), found["_xsrf"]


def test_what_acts_by_a_cookie_needs_its_token(jupyter, cookies):
    cookie, xsrf = cookies
    page = jupyter.address + "amlnb/studio/"
    assert jupyter.ask("amlnb/api/about", headers={"Cookie": cookie, "Referer": page}, token=False)[0] == 200
    for route in ROUTES:
        if route.method != "GET":
            asked = {"path": address(route), "method": route.method, "body": b"{}", "token": False}
            assert jupyter.ask(**asked, headers={"Cookie": cookie, "Referer": page})[0] == 403, route.path
            wrong = {"Cookie": cookie, "Referer": page, "X-XSRFToken": "wrong"}
            assert jupyter.ask(**asked, headers=wrong)[0] == 403, route.path
            right = {"Cookie": cookie, "Referer": page, "X-XSRFToken": xsrf}
            assert jupyter.ask(**asked, headers=right)[0] in (400, 404), route.path


def test_a_foreign_page_cannot_ask(jupyter, cookies):
    for route in ROUTES:
        asked = {"path": address(route), "method": route.method, "body": b"{}" if route.method != "GET" else None}
        foreign = {"Cookie": cookies[0], "Origin": "http://evil.example", "X-XSRFToken": cookies[1]}
        assert jupyter.ask(**asked, headers=foreign, token=False)[0] in (403, 404), route.path
    assert jupyter.ask("amlnb/api/about", headers={"Host": "evil.example"})[0] == 403


def test_the_page_needs_a_login(jupyter):
    class NotFollowed(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(NotFollowed).open(f"{jupyter.address}amlnb/studio/w/x", timeout=60)
    assert refused.value.code == 302
    assert "/user/ann/login" in refused.value.headers["Location"]
    refused.value.close()


@pytest.mark.parametrize(
    "path", ["amlnb/api/", "amlnb/api/nothing", "amlnb/api/../../etc/passwd", "amlnb/api/w/%2e%2e/runs", "amlnb/api/w/a%00b/runs"]
)  # fmt: skip
def test_what_is_at_no_address_is_not_there(jupyter, path):
    assert jupyter.ask(path)[0] in (400, 404)


def test_a_download_comes_in_parts_and_whole(jupyter):
    made = open_directory(str(jupyter.folder / "files" / ".amlnb"), local_ids("files"))
    directory = create_run(made.runs, record("r/1?"))
    made.make_experiment("contract")
    os.makedirs(os.path.join(directory, "work", "outputs"))
    data = os.urandom(3_000_000)
    with open(os.path.join(directory, "work", "outputs", "a.html"), "wb") as file:
        file.write(data)
    path = f"amlnb/api/w/{key_of(made.path)}/runs/{quote('r/1?', safe='')}/download?name=outputs/a.html"
    status, body, headers = jupyter.ask(path)
    assert (status, body) == (200, data)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.html"
    status, body, headers = jupyter.ask(path, headers={"Range": "bytes=1000-1999"})
    assert (status, body, headers["Content-Range"]) == (206, data[1000:2000], "bytes 1000-1999/3000000")


def test_a_fault_is_told_as_json(jupyter):
    status, body, headers = jupyter.ask("amlnb/api/w/0123456789ab/runs")
    assert status == 404
    assert set(json.loads(body)) == {"message", "hint"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


def test_a_file_that_becomes_shorter_while_it_is_sent_ends_the_connection(jupyter):
    made = open_directory(str(jupyter.folder / "shorter" / ".amlnb"), local_ids("shorter"))
    directory = create_run(made.runs, record("r"))
    made.make_experiment("contract")
    os.makedirs(os.path.join(directory, "work", "outputs"))
    path = os.path.join(directory, "work", "outputs", "a.bin")
    with open(path, "wb") as file:
        file.truncate(300_000_000)
    place = urlsplit(jupyter.address)
    address = f"{place.path}amlnb/api/w/{key_of(made.path)}/runs/r/download?name=outputs/a.bin&token={TOKEN}"
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        received = len(connection.recv(65536))
        os.truncate(path, 1000)
        while part := connection.recv(1 << 20):
            received += len(part)
    assert received < 300_000_000
    assert jupyter.ask("amlnb/api/about")[0] == 200
    assert "Traceback" not in (jupyter.folder.parent / "server.log").read_text()


def test_a_page_that_is_gone_before_its_answer_is_no_error(tmp_path):
    folder = tmp_path / "folder"
    made = open_directory(str(folder / ".amlnb"), local_ids("here"))
    log = os.path.join(create_run(made.runs, record("r1")), "user_logs", "std_log.txt")
    os.makedirs(os.path.dirname(log))
    with open(log, "wb") as file:
        file.write(b"\x1b[31ma line of a log\x1b[0m\n" * 100_000)
    with running_jupyter(tmp_path, folder) as server:
        key = server.json("amlnb/api/workspaces")["workspaces"][0]["key"]
        path = f"{urlsplit(server.address).path}amlnb/api/w/{key}/runs/r1/log?bytes=1000000"
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {TOKEN}\r\n\r\n".encode()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", urlsplit(server.address).port)) as page:
                page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # gone at once
                page.sendall(asked)
        assert server.json(f"amlnb/api/w/{key}/runs/r1/log")["lines"]
    assert "Traceback" not in (tmp_path / "server.log").read_text()
