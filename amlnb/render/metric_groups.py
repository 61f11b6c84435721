"""Which metrics share a chart: the same quantity on training and validation data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPLITS = "train|training|val|valid|validation|test|eval|dev"
_BEFORE = re.compile(rf"^({_SPLITS})[/_.\-: ](.+)$", re.IGNORECASE)
_AFTER = re.compile(rf"^(.+)[/_.\-: ]({_SPLITS})$", re.IGNORECASE)


@dataclass(frozen=True)
class MetricGroup:
    """One chart.

    Attributes
    ----------
    title
        The quantity.
    members
        (metric name, its label within the chart), in the order of first use.
    """

    title: str
    members: tuple[tuple[str, str], ...]


def group_metrics(names: Iterable[str]) -> list[MetricGroup]:
    """Group names such as ``loss`` and ``val_loss``, or ``train/acc`` and ``test/acc``; in the order of first use."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        quantity, label = _parts(name)
        groups.setdefault(quantity, []).append((name, label))
    return [
        MetricGroup(members[0][0] if len(members) == 1 else quantity, tuple(_labelled(quantity, members)))
        for quantity, members in groups.items()
    ]


def _labelled(quantity: str, members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Call the plain name ``train`` beside its validation twin, as its writer means it."""
    taken = {label.lower() for _, label in members}
    if len(members) == 1 or taken & {"train", "training"}:
        return members
    return [(name, "train" if label == quantity else label) for name, label in members]


def _parts(name: str) -> tuple[str, str]:
    before = _BEFORE.match(name)
    if before:
        return before.group(2), before.group(1)
    after = _AFTER.match(name)
    if after:
        return after.group(1), after.group(2)
    return name, name
