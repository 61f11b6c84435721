import numpy as np
import pytest

from amlnb.core import states
from amlnb.render.cards import ExperimentRow, run_card, workspace_card
from amlnb.specs.run_view import MetricSummary, RunView, Series

from .strict_html import check_html

EVIL = "<script>alert(1)</script>\n\x00\ud800'\"& \u202e"


def view(state, count=2, **fields):
    curve = Series(np.arange(2.0), np.array([2.0, 1.0]))
    names = [f"m{i}" for i in range(count)]
    metrics = dict.fromkeys(names, MetricSummary(2, 1.0, 1.0, 2.0))
    return RunView("digits_1", "digits", state, metrics=metrics, series=dict.fromkeys(names, curve), **fields)


@pytest.mark.parametrize("state", states.ALL)
def test_every_state_has_a_card(state):
    card = run_card(view(state, started=1.0, elapsed_s=3.0))
    assert state in card
    assert ("shows it live" in card) == (not states.is_terminal(state))
    assert "█▁" in card


def test_a_card_is_escaped_and_small():
    fields = {"display_name": EVIL, "error": {"message": EVIL * 999, "hint": EVIL * 999}, "tags": {EVIL: EVIL}}
    card = run_card(view(states.FAILED, 500, parameters={f"{EVIL}{i}": EVIL * 99 for i in range(99)}, **fields))
    check_html(card)
    assert "and 488 more metrics" in card
    assert len(card.encode()) < 20_000


def test_a_workspace_counts_the_runs_of_its_experiments():
    rows = [ExperimentRow(f"e{i}{EVIL}", 3, {states.COMPLETED: 2, states.FAILED: 1}) for i in range(50)]
    card = workspace_card("workspace w", EVIL, rows)
    check_html(card)
    assert "not shown: 20 more experiments" in card
    assert "No experiments yet" in workspace_card("workspace w", "p", [])
