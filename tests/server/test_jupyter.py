"""The routes behind Jupyter Server: its authentication, its base URL, its protection of cookies."""

import json

import pytest

from amlnb.server.table import ROUTES
from amlnb.store.workspace_dir import local_ids, open_directory

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


def test_a_fault_is_told_as_json(jupyter):
    status, body, headers = jupyter.ask("amlnb/api/w/0123456789ab/runs")
    assert status == 404
    assert set(json.loads(body)) == {"message", "hint"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
