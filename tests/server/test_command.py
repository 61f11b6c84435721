"""`amlnb studio` and `amlnb open`, with a browser that only notes what it is to open."""

import asyncio
import http.cookiejar
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from html import unescape
from urllib.parse import urlencode, urlsplit
from urllib.request import url2pathname

import pytest
from jupyter_server.auth import passwd
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from amlnb.server import studio_key
from tests.conftest import end_processes_of
from tests.server.conftest import TOKEN, Server, running_jupyter, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def browser(tmp_path, monkeypatch, own_cache):
    """Notes the addresses it is to open, one a line."""
    noted = tmp_path / "noted"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> {noted}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return noted


def started(command, *arguments, **more):
    program = f"from amlnb.server.command import {command}; {command}()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def opened_by(browser):
    """The address that the browser was given, once it has noted all of it."""
    wait_until(lambda: browser.exists() and browser.read_text().endswith("\n"))
    return browser.read_text().strip()


def test_open_logs_the_browser_in_and_prints_an_address_without_a_secret(browser, make_run):
    make_run("r1")
    process = started("opening", "last")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/amlnb/studio/w/[0-9a-f]{12}/runs/r1\n", out)
    page = urlsplit(opened_by(browser)).path
    assert stat.S_IMODE(os.stat(page).st_mode) == 0o600
    with open(page) as file:
        text = file.read()
    assert studio_key.token() in text
    assert 'value="/amlnb/studio/w/' in text
    assert studio_key.token() not in out


def test_open_finds_its_page_in_a_folder_of_any_name(browser, make_run, tmp_path, monkeypatch):
    make_run("r1")
    cache = tmp_path / "a #b%20c"
    cache.mkdir()
    monkeypatch.setenv("AMLNB_CACHE_DIR", str(cache))
    try:
        process = started("opening")
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert os.path.exists(url2pathname(urlsplit(opened_by(browser)).path))
    finally:
        end_processes_of(str(cache))


def test_open_logs_the_browser_in_to_a_jupyter_server(browser, make_run, project, tmp_path):
    make_run("r1")
    with running_jupyter(tmp_path, project) as server:
        out, err = started("opening", "last").communicate(timeout=120)
        assert re.fullmatch(re.escape(server.address) + r"amlnb/studio/w/[0-9a-f]{12}/runs/r1\n", out), err
        assert TOKEN not in out + err + opened_by(browser)
        page = urlsplit(opened_by(browser)).path
        assert stat.S_IMODE(os.stat(page).st_mode) == 0o600
        with open(page) as file:
            text = file.read()
        fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', text)}
        form = urllib.request.Request(
            re.search(r'action="([^"]*)"', text)[1],
            data=urlencode(fields).encode(),
            headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"},  # as a browser does from a page that is a file
        )
        jar = http.cookiejar.CookieJar()
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        with visitor.open(form, timeout=60) as shown:
            assert (shown.status, shown.url + "\n") == (200, out)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        given = {"Cookie": cookies, "Referer": server.address}
        assert server.ask("amlnb/api/about", headers=given, token=False)[0] == 200
    assert TOKEN not in (tmp_path / "server.log").read_text()


def test_open_says_that_a_jupyter_server_asks_for_its_password(browser, make_run, project, tmp_path):
    make_run("r1")
    options = ["--IdentityProvider.token=", f"--PasswordIdentityProvider.hashed_password={passwd('s')}"]
    with running_jupyter(tmp_path, project, *options) as server:
        out, err = started("opening").communicate(timeout=120)
    assert out.startswith(server.address)
    assert opened_by(browser) + "\n" == out
    assert "may ask for the password of that Jupyter server" in err


def test_open_prints_json(browser, make_run):
    make_run("r1")
    out, err = started("opening", "--json", "r1").communicate(timeout=120)
    assert json.loads(out)["url"].endswith("/runs/r1"), err


def test_open_refuses_a_run_that_is_not_there(browser, make_run):
    make_run("r1")
    process = started("opening", "nothing")
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "there is no run 'nothing'" in err


def test_studio_serves_until_it_is_interrupted(browser, make_run):
    make_run("r1")
    process = started("studio", "--no-browser")
    address = process.stdout.readline().strip()
    assert address.endswith(f"?token={studio_key.token()}")
    server = Server(address.partition("amlnb/")[0], None, studio_key.token())
    wait_until(lambda: server.ask("amlnb/api/about")[0] == 200)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert not browser.exists()


def test_a_port_that_is_taken_is_told(browser, make_run):
    make_run("r1")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = started("studio", "--port", str(other.getsockname()[1]))
        _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "cannot be listened on" in err


async def streamed(address, **headers):
    """Status of an attempt to open the stream."""
    try:
        connection = await websocket_connect(HTTPRequest(address, headers=headers, request_timeout=60))
    except HTTPClientError as error:
        return error.code
    connection.close()
    while await connection.read_message() is not None:
        pass  # until the other side has closed, too
    return 101


def test_the_stream_is_opened_by_who_is_known_and_from_this_origin(browser, make_run):
    make_run("r1")
    process = started("studio", "--no-browser")
    address = process.stdout.readline().partition("studio/")[0].replace("http:", "ws:") + "api/stream"
    token = {"Authorization": f"token {studio_key.token()}"}
    assert asyncio.run(streamed(address, **token)) == 101
    assert asyncio.run(streamed(address)) == 403
    assert asyncio.run(streamed(address, Origin="http://evil.example", **token)) == 403
    assert asyncio.run(streamed(address, Host="evil.example", **token)) == 403
    process.terminate()
    process.communicate(timeout=120)
