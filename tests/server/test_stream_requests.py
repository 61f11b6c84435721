import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.server.stream_requests import BadRequest, Subscribe, Unsubscribe, Watch, parse

SUBSCRIBE = {"op": "subscribe", "sub": 1, "workspace": "w", "run": "r", "points": 100}


def test_what_a_page_may_ask():
    assert parse(json.dumps(SUBSCRIBE)) == Subscribe(1, "w", "r", 100, {})
    assert parse(json.dumps({**SUBSCRIBE, "have": {"loss": 3}})) == Subscribe(1, "w", "r", 100, {"loss": 3})
    assert parse('{"op": "watch", "sub": 4294967295, "workspace": "w"}') == Watch(2**32 - 1, "w")
    assert parse('{"op": "unsubscribe", "sub": 2}') == Unsubscribe(2)


@pytest.mark.parametrize(
    ("text", "sub", "told"),
    [
        ("", None, "'' is not JSON"),
        ("[1]", None, "'[1]' is not a JSON object"),
        ("[" * 100_000, None, "is not JSON"),
        (b"\x00\x01", None, "a binary request of 2 bytes"),
        ("x" * 1_000_001, None, "a request of 1000001 characters"),
        ("{}", None, "the request's 'op' is null"),
        ({**SUBSCRIBE, "op": "follow"}, 1, "the request's 'op' is \"follow\""),
        ({**SUBSCRIBE, "op": ["watch"]}, 1, "the request's 'op' is [\"watch\"]"),
        ({**SUBSCRIBE, "sub": 0}, None, "'sub' of subscribe is 0"),
        ({**SUBSCRIBE, "sub": 2**32}, None, "'sub' of subscribe is 4294967296"),
        ({**SUBSCRIBE, "sub": True}, None, "'sub' of subscribe is true"),
        ({**SUBSCRIBE, "sub": "1"}, None, "'sub' of subscribe is \"1\""),
        ({**SUBSCRIBE, "workspace": ""}, 1, "'workspace' of subscribe is \"\""),
        ({**SUBSCRIBE, "run": 5}, 1, "'run' of subscribe is 5"),
        ({**SUBSCRIBE, "run": "x" * 2000}, 1, "'run' of subscribe is \"xxx"),
        ({**SUBSCRIBE, "points": 7}, 1, "'points' of subscribe is 7"),
        ({**SUBSCRIBE, "points": 1e9}, 1, "'points' of subscribe is 1000000000.0"),
        ({**SUBSCRIBE, "points": 100.0}, 1, "'points' of subscribe is 100.0"),
        ({**SUBSCRIBE, "have": [1]}, 1, "'have' of subscribe is [1]"),
        ({**SUBSCRIBE, "have": {"loss": -1}}, 1, "'have' of subscribe is {\"loss\": -1}"),
        ({**SUBSCRIBE, "extra": 1}, 1, 'subscribe has no "extra"'),
        ({"op": "watch", "sub": 3}, 3, "'workspace' of watch is null"),
        ({"op": "unsubscribe", "sub": 3, "run": "r"}, 3, 'unsubscribe has no "run"'),
    ],
)
def test_what_cannot_be_taken_is_told(text, sub, told):
    with pytest.raises(BadRequest) as caught:
        parse(text if isinstance(text, str | bytes) else json.dumps(text))
    assert told in caught.value.message
    assert caught.value.hint
    assert caught.value.sub == sub
    assert len(caught.value.message) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["op", "sub", "workspace", "run", "points", "have", "more"]), JSON)
    | st.fixed_dictionaries({"op": st.sampled_from(["subscribe", "watch", "unsubscribe"]), "sub": JSON, "have": JSON})
    | JSON
)
def test_nothing_else_is_raised(value):
    with contextlib.suppress(BadRequest):
        assert 0 < parse(json.dumps(value)).sub < 2**32
