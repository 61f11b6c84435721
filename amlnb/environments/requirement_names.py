"""What a requirement is called, however it is written; and the packages that amlnb itself stands for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from amlnb.specs.environment_spec import EnvironmentSpec

_PIP_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# A requirement begins with its name; what is behind need not be read for it.
_BEGINS = re.compile(rf"({_PIP_NAME})\s*(?:$|[\[(<>=!~;@]|\s--)")
_OPTION = re.compile(r"\s--?[A-Za-z].*$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_ARCHIVE = re.compile(
    r"(?:^|/)([A-Za-z0-9][A-Za-z0-9._]*?(?:-[A-Za-z][A-Za-z0-9._]*)*)-\d[^/]*\.(?:whl|zip|tar\.gz|tar\.bz2|tgz)\b"
)

# Names that PyPI no longer serves, or never did, and what they are today.
_TODAYS = {"pytorch": "torch", "sklearn": "scikit-learn", "tensorflow-gpu": "tensorflow"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# The stand-in that PyPI had under the name sklearn; `pip freeze` still tells it.
_STAND_IN = "sklearn==0.0"


def requirement_of(text: str) -> Requirement | None:
    """Read a requirement (PEP 508), with or without options such as ``--hash``; None if it is a path or an address."""
    try:
        return Requirement(_OPTION.sub("", text).strip())
    except InvalidRequirement:
        return None


def name_of(text: str) -> str | None:
    """Normalised name of what a requirement installs; None where only its own files tell."""
    found = _BEGINS.match(text)
    if found is not None:
        return canonicalize_name(found[1])
    told = _EGG.search(text) or _ARCHIVE.search(text)
    return canonicalize_name(told[1]) if told else None


def is_name(text: str) -> bool:
    """Tell whether a package of PyPI may have this name."""
    return re.fullmatch(_PIP_NAME, text) is not None


def is_served(name: str) -> bool:
    """Tell whether a package is one of Azure ML's, whose names amlnb itself has."""
    normal = canonicalize_name(name)
    return normal == "azureml" or normal.startswith("azureml-")


def with_todays_names(spec: EnvironmentSpec) -> EnvironmentSpec:
    """Call packages as they are called today, where their name of old has nothing to install; told in news.

    Parameters
    ----------
    spec
        A request; its pip part counts.
    """
    news = list(spec.news)
    pip = []
    for text in spec.pip:
        name = _TODAYS.get(name_of(text) or "")
        found = requirement_of(text) if name else None
        if name is None or found is None or found.url:
            pip.append(text)
            continue
        today = name if text.startswith(_STAND_IN) else _NAME.sub(name, text, count=1)
        news.append(f"{text} is {today} on PyPI today")
        pip.append(today)
    return dataclasses.replace(spec, pip=tuple(pip), news=tuple(dict.fromkeys(news)))


def without_served(spec: EnvironmentSpec) -> EnvironmentSpec:
    """Take Azure ML's own packages out of a request, and tell which.

    Parameters
    ----------
    spec
        A request; its pip and conda parts and its constraints count.
    """
    served: dict[str, None] = {}
    pip, conda, constraints = _kept(spec.pip, served), _kept(spec.conda, served), _kept(spec.constraints, {})
    news = [*spec.news, *(f"{name} is served by amlnb and was not installed" for name in served)]
    return dataclasses.replace(spec, pip=pip, conda=conda, constraints=constraints, news=tuple(dict.fromkeys(news)))


def _kept(requirements: Iterable[str], served: dict[str, None]) -> tuple[str, ...]:
    kept = []
    for text in requirements:
        name = name_of(text) or re.split(r"[\s=<>!~\[]", text.rpartition("::")[2].strip(), maxsplit=1)[0]
        if is_served(name):
            served[name] = None
        else:
            kept.append(text)
    return tuple(kept)
