"""What must come with packages that are old or no longer maintained, so that they work with those of today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

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
# NumPy 2 has another binary interface: what was built before it fails with it, and does not say so in its requirements.
# The first versions that were built for both.
_BUILT_FOR_NUMPY_2 = {
    "bottleneck": "1.4",
    "h5py": "3.11",
    "hdbscan": "0.8.37",
    "matplotlib": "3.8.4",
    "numexpr": "2.10",
    "onnxruntime": "1.19",
    "opencv-contrib-python": "4.10",
    "opencv-python": "4.10",
    "opencv-python-headless": "4.10",
    "pandas": "2.2.2",
    "pyarrow": "16",
    "pycocotools": "2.0.8",
    "scikit-image": "0.23",
    "scikit-learn": "1.4.2",
    "scipy": "1.13",
    "shap": "0.46",
    "shapely": "2.0.4",
    "statsmodels": "0.14.2",
    "tables": "3.10",
    "torch": "2.3",
}
# For Python 3.13 there is no NumPy 1, and no such old version of anything else either.
_NUMPY_1 = "numpy<2; python_version < '3.13'"


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
    old = [str(asked[name]) for name in sorted(asked) if _is_older_than_numpy_2(name, asked[name])]
    if old and "numpy" not in decided and not any(each.startswith("numpy<") for each in added):
        added[_NUMPY_1] = None
        notes.append(f"{', '.join(old)}: built before NumPy 2 and needs an older one, so numpy<2 was added")
    return Companions(tuple(added), tuple(constraints), tuple(notes))


def _is_older_than_numpy_2(name: str, asked: Requirement) -> bool:
    ready = _BUILT_FOR_NUMPY_2.get(name)
    return ready is not None and any(_ends_before(each, Version(ready)) for each in asked.specifier)


def _ends_before(asked: Specifier, ready: Version) -> bool:
    """Tell whether a part of a version's range has nothing as new as ``ready``."""
    try:
        version = Version(asked.version.removesuffix(".*"))
    except InvalidVersion:
        return False
    return (
        version < ready if asked.operator in ("==", "===", "~=", "<=") else asked.operator == "<" and version <= ready
    )
