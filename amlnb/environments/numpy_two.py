"""Packages whose older versions do not work with NumPy 2, though they do not say so."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import InvalidVersion, Version

from amlnb.environments.lock import LockedPackage

# The first version of each that was built for NumPy 2, by its release notes.
_SINCE = {
    "bottleneck": "1.4.0",
    "catboost": "1.2.8",
    "contourpy": "1.2.1",
    "cvxpy": "1.5.0",
    "cython-bbox": "0.1.6",
    "gensim": "4.3.4",
    "h5py": "3.11.0",
    "hdbscan": "0.8.37",
    "imbalanced-learn": "0.12.3",
    "matplotlib": "3.8.4",
    "ml-dtypes": "0.4.0",
    "netcdf4": "1.7.0",
    "numba": "0.60.0",
    "numexpr": "2.10.0",
    "onnxruntime": "1.19.0",
    "opencv-contrib-python": "4.10.0.84",
    "opencv-python": "4.10.0.84",
    "opencv-python-headless": "4.10.0.84",
    "pandas": "2.2.2",
    "pyarrow": "16.1.0",
    "pycocotools": "2.0.8",
    "pywavelets": "1.6.0",
    "scikit-image": "0.23.2",
    "scikit-learn": "1.4.2",
    "scipy": "1.13.0",
    "shap": "0.46.0",
    "shapely": "2.0.4",
    "spacy": "3.8.0",
    "statsmodels": "0.14.2",
    "tables": "3.10.0",
    "tensorflow": "2.18.0",
    "thinc": "8.3.0",
    "torch": "2.3.0",
    "xgboost": "2.1.0",
}


def older_than_numpy(packages: Iterable[LockedPackage]) -> LockedPackage | None:
    """The first of the packages that is older than the NumPy among them allows; None if all go together."""
    found = {package.name: package for package in packages}
    numpy = found.get("numpy")
    if numpy is None or _version(numpy.version) < Version("2"):
        return None
    return next(
        (
            found[name]
            for name, since in _SINCE.items()
            if name in found and _version(found[name].version) < Version(since)
        ),
        None,
    )


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:  # of a local folder
        return Version("999")
