"""From a specification to a request: what is really to be made, for which Python, under which key."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace

from amlnb.environments import interpreters, keys
from amlnb.environments.conda_translation import translate
from amlnb.environments.requests import Request
from amlnb.environments.requirement_names import without_served
from amlnb.environments.written_secrets import check_dockerfile
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import CONDA, CONTAINER, PIP, WORKSPACE, EnvironmentSpec

NO_RATTLER = "py-rattler, which installs conda's packages, is not there"
HOW_TO_INSTALL = 'pip install "amlnb[conda]", and submit again'
ONLY_CONDA = "cannot be had from PyPI: conda's packages are taken"
_NAMED = 5


def request_of(spec: EnvironmentSpec, environ: Mapping[str, str]) -> Request:
    """Make a request of a specification.

    Parameters
    ----------
    spec
        What was asked for.
    environ
        Environment variables by which Pythons are found.

    Raises
    ------
    EnvironmentBuildException
        No Python of this machine is of the version that it asks for; or it asks for packages of conda's own, and what
        installs those is not there.
    UserErrorException
        A conda package cannot be understood.
    """
    spec = replace(normal(spec), document={})
    if spec.kind == CONDA and importlib.util.find_spec("rattler") is None:
        only = [each for each in spec.notes if each.endswith(ONLY_CONDA)]
        raise EnvironmentBuildException("; ".join([*only, NO_RATTLER]), hint=HOW_TO_INSTALL)
    if spec.kind in {CONDA, CONTAINER}:  # the Python is the channel's, or the image's
        interpreter, note = interpreters.own(), None
    else:
        interpreter, note = interpreters.choose(spec, environ)
    if note is not None and note not in spec.notes:
        spec = replace(spec, notes=(*spec.notes, note))
    return Request(keys.request_key(spec, interpreter), spec, interpreter)


def normal(spec: EnvironmentSpec) -> EnvironmentSpec:
    """What is really to be made of a specification: Azure ML's packages are ours, and conda's are those of PyPI.

    Raises
    ------
    UserErrorException
        A conda package cannot be understood; or a Dockerfile has a secret in it.
    """
    if spec.dockerfile:
        check_dockerfile(spec.dockerfile, spec.origin or "the Dockerfile")
    spec = without_served(spec)
    if spec.kind != CONDA or spec.use_conda:
        return spec
    found = translate(spec)
    if found.untranslatable:
        only = f"{', '.join(found.untranslatable[:_NAMED])} {ONLY_CONDA}"
        return replace(spec, use_conda=True, notes=(*spec.notes, only))
    notes, news = (*spec.notes, *found.notes), (*spec.news, *found.news)
    return replace(spec, conda=(), channels=(), pip=(*found.requirements, *spec.pip), notes=notes, news=news)


def is_workspaces(spec: EnvironmentSpec) -> bool:
    """Tell whether a normal specification asks for nothing that the workspace's own Python is not."""
    python_matters = spec.python is not None and (spec.strict or not spec.python_is_soft)
    return spec.kind == WORKSPACE or (spec.kind == PIP and not spec.pip and not python_matters)
