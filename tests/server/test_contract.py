"""The table of routes against its own description: whatever is asked is answered as it says, and never by a mistake."""

import json
import math
import os
import re
from pathlib import Path
from typing import get_type_hints, is_typeddict

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlnb.server import content_contract, contract
from amlnb.server.answering import answer
from amlnb.server.openapi import document
from amlnb.server.table import ROUTES

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DOCUMENT = json.loads(json.dumps(document(ROUTES)))
IDS = [f"{route.method} {route.path}" for route in ROUTES]
ODD = [
    "",
    " ",
    "\0",
    "\ud800",
    "é" * 300,
    "x" * 10_000,
    "../..",
    "/etc/passwd",
    "%00",
    "-1",
    "1e999",
    "NaN",
    "null",
    "{}",
    "<b>",
    "\n",
    "🙂",
]
anything = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=5,
)


def validator(kind):
    return jsonschema.Draft202012Validator({**kind, "components": DOCUMENT["components"]})


PLAUSIBLE = {
    "run": ["r1", "r2"],
    "against": ["present", "r2"],
    "query": ['loss < 1 and state == "Completed"', "lr == 0.1", "not archived"],
    "name": ["loss", "outputs/a.csv"],
    "file": ["user_logs/std_log.txt", "outputs/a.csv"],
    "sort": ["created", "metrics.loss", "parameters.lr", "state"],
    "by": ["state", "metrics.loss", "tags.a"],
    "folder": ["", "deep"],
}


def plausible(name, schema):
    """Values that are allowed, in the text of an address."""
    if name in PLAUSIBLE:
        return st.sampled_from(PLAUSIBLE[name])
    if "enum" in schema:
        return st.sampled_from([str(each) for each in schema["enum"]])
    if schema.get("type") == "integer":
        return st.integers(schema["minimum"], min(schema["maximum"], 10**4)).map(str)
    if schema.get("type") == "boolean":
        return st.sampled_from(["0", "1"])
    if schema.get("type") == "number":
        return st.integers(-5, 5).map(str)
    return st.sampled_from(["loss", "r1", "a", "train.py"])


@pytest.fixture
def whole(make_run, workspace):
    """A workspace in which every route finds something."""

    def make():
        for name in ("r1", "r2"):
            if workspace.find_run(name) is not None:
                continue
            definition = {"script": "train.py", "arguments": ["--lr", "0.1"]}
            metrics = {"loss": [1.0, math.nan, 0.5]}
            directory = make_run(name, metrics=metrics, tags={"a": "1", "b": None}, definition=definition)
            for file, text in (("work/outputs/a.csv", "x,y\n1,2\n"), ("user_logs/std_log.txt", "a\nb\x1b[1mc\n")):
                path = Path(directory, file)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    make()
    return make


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES, ids=IDS)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_as_described_and_none_is_a_mistake(served, whole, key, route, data):
    whole()
    operation = DOCUMENT["paths"][f"/{route.path}"][route.method.lower()]
    odd = data.draw(st.booleans(), "odd")
    places = [{"workspace": key, "run": "r1"}[name] for name in route.places]
    if odd:
        places = [data.draw(st.sampled_from([place, place, place, *ODD])) for place in places]
    query = {}
    for parameter in operation["parameters"]:
        if parameter["in"] == "query" and (parameter["required"] or data.draw(st.booleans())):
            schema = parameter["schema"]
            values = plausible(parameter["name"], schema.get("items", schema))
            many = "items" in schema
            count = 1 + many
            some = st.lists(values, min_size=count, max_size=count, unique=True)
            query[parameter["name"]] = data.draw(st.lists(values | anything, min_size=1, max_size=3) if odd else some)
    if odd and not data.draw(st.integers(0, 9)):
        query[data.draw(st.text(min_size=1, max_size=5))] = [data.draw(anything)]
    encoded = {name: [each.encode("utf-8", "surrogatepass") for each in values] for name, values in query.items()}
    body = b""
    if route.body is not None:
        fields = st.fixed_dictionaries({}, optional={field.name: json_values for field in route.body})
        body = data.draw(
            st.one_of(st.binary(max_size=20), (fields | json_values).map(lambda each: json.dumps(each).encode()))
        )
    headers = {"Range": data.draw(anything)} if not data.draw(st.integers(0, 5)) else {}
    found = answer(served, route, places, encoded, body, headers)
    if found.file is not None:
        os.close(found.file.descriptor)
    assert found.status != 500, found.data
    if found.status >= 400:
        told = json.loads(found.data)
        validator(operation["responses"]["default"]["content"]["application/json"]["schema"]).validate(told)
        assert told["message"]
    elif found.content_type == "application/json" and found.status != 204:
        kind = operation["responses"][str(route.status)]["content"]["application/json"]["schema"]
        validator(kind).validate(json.loads(found.data, parse_constant=pytest.fail))


def test_the_document_is_served_and_describes_every_route(api):
    told = api.get("openapi")
    assert told == DOCUMENT
    assert sum(len(methods) for methods in told["paths"].values()) == len(ROUTES)
    for kind in told["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(kind)


def test_every_shape_has_the_fields_that_the_pages_expect():
    source = (REPOSITORY / "labextension" / "src" / "core" / "contract.ts").read_text(encoding="utf-8")
    declared = dict(re.findall(r"export interface (\w+)(?: extends \w+)? \{\n(.*?)\n\}", source, re.DOTALL))
    compared = 0
    for module in (contract, content_contract):
        for name, kind in vars(module).items():
            if is_typeddict(kind) and kind.__module__ == module.__name__ and name in declared:
                own = set(re.findall(r"^  (\w+)\??:", declared[name], re.MULTILINE))
                assert own <= get_type_hints(kind).keys(), name
                if "extends" not in source.partition(f"export interface {name}")[2].partition("{")[0]:
                    assert own == get_type_hints(kind).keys(), name
                compared += 1
    assert compared > 25
