"""What must come with packages that are no longer maintained, so that they work with the Pythons of today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amlnb.environments.requirement_names import name_of


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


# Chainer 7.8.1, its last version, is a source that imports pkg_resources, and uses names that NumPy 1.24 took away.
_KNOWN = {
    "chainer": (("numpy<1.24", "setuptools<70"), ("setuptools<70",)),
    "chainerrl": (("numpy<1.24", "setuptools<70"), ("setuptools<70",)),
    "chainercv": (("numpy<1.24", "setuptools<70"), ("setuptools<70",)),
    # Reads its version by pkg_resources, which setuptools 81 takes away.
    "lightfm": (("setuptools<70",), ("setuptools<70",)),
    # Their last versions import np.bool, np.int or np.float.
    "mxnet": (("numpy<1.24",), ()),
    "gluoncv": (("numpy<1.24",), ()),
    "scikit-multiflow": (("numpy<1.24",), ("setuptools<70",)),
}


def companions(requirements: Iterable[str]) -> Companions:
    """Find what must come with the packages of a request.

    Parameters
    ----------
    requirements
        Requirements of pip. What they name themselves is never added: the person has decided on it.
    """
    asked = {name for name in map(name_of, requirements) if name}
    added: dict[str, None] = {}
    constraints: dict[str, None] = {}
    notes = []
    for name in sorted(asked & _KNOWN.keys()):
        needed, building = _KNOWN[name]
        new = [each for each in needed if name_of(each) not in asked]
        added.update(dict.fromkeys(new))
        constraints.update(dict.fromkeys(building))
        if new:
            notes.append(f"{name} is no longer maintained and needs {' and '.join(new)}, which was added")
    return Companions(tuple(added), tuple(constraints), tuple(notes))
