"""What must come with packages that are no longer maintained, so that they work with those of today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from amlnb.environments.requirement_names import requirement_of


@dataclass(frozen=True)
class Companions:
    """What is added to a request.

    Attributes
    ----------
    requirements
        Requirements for the run.
    build_constraints
        Constraints under which the sources among the packages build.
    notes
        One sentence for each package that needs them.
    """

    requirements: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_OLD_SETUPTOOLS = "setuptools<70"
# Chainer 7.8.1, its last version, is a source that imports pkg_resources, and uses names that NumPy 1.24 took away; so
# do the others. What comes with a run, and under which constraints its source builds.
_UNMAINTAINED = {
    "chainer": (("numpy<1.24", _OLD_SETUPTOOLS), (_OLD_SETUPTOOLS,)),
    "chainercv": (("numpy<1.24", _OLD_SETUPTOOLS), (_OLD_SETUPTOOLS,)),
    "chainerrl": (("numpy<1.24", _OLD_SETUPTOOLS), (_OLD_SETUPTOOLS,)),
    "gluoncv": (("numpy<1.24",), ()),
    "lightfm": ((), (_OLD_SETUPTOOLS,)),
    "mxnet": (("numpy<1.24",), ()),
    "scikit-multiflow": (("numpy<1.24",), (_OLD_SETUPTOOLS,)),
}


def companions(requirements: Iterable[str]) -> Companions:
    """Find what must come with the packages of a request.

    Parameters
    ----------
    requirements
        Requirements of pip. A package that they name with a version is never added: the person has decided on it.
    """
    asked: dict[str, Requirement] = {}
    for requirement in filter(None, map(requirement_of, requirements)):
        asked[canonicalize_name(requirement.name)] = requirement
    decided = {name for name, each in asked.items() if each.specifier or each.url}
    added: dict[str, None] = {}
    constraints: dict[str, None] = {}
    notes = []
    for name in sorted(asked.keys() & _UNMAINTAINED.keys()):
        needed, building = _UNMAINTAINED[name]
        new = [each for each in needed if canonicalize_name(Requirement(each).name) not in decided]
        added.update(dict.fromkeys(new))
        constraints.update(dict.fromkeys(building))
        if new:
            notes.append(f"{name} is no longer maintained and needs {' and '.join(new)}, which was added")
    return Companions(tuple(added), tuple(constraints), tuple(notes))
