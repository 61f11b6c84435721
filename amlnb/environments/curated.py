"""The environments that Azure ML kept ready under names of its own, as specifications of packages that exist today.

A name promises a library and its version: that version is asked for softly, so a Python which has no wheel of it any
more gets the nearest that can. What a name says of CUDA is not followed: PyPI's packages bring their own.
"""

from __future__ import annotations

import difflib
import re

from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

_PREFIXES = ("azureml", "microsoft")
_COMMON = ("numpy", "pandas", "scipy", "matplotlib")
_LEARN = ("joblib", *_COMMON)
_TORCH = ("torchvision", "tensorboard", *_COMMON)
_CHAINER = "chainer==7.8.1"
_TENSORFLOW = ("tensorboard", "h5py", *_COMMON)


def _family(name: str, requirement: str, versions: str, others: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Names that differ by a version only."""
    return {name.format(version): (requirement.format(version), *others) for version in versions.split()}


_CURATED: dict[str, tuple[str, ...]] = {
    "AzureML-Minimal": (),
    "AzureML-Tutorial": ("scikit-learn", "tqdm", *_LEARN),
    "AzureML-AutoML": ("scikit-learn", "lightgbm", "xgboost", *_LEARN),
    "AzureML-Dask-CPU": ("dask[complete]", "distributed", *_COMMON),
    "AzureML-Designer": ("scikit-learn", *_LEARN),
    "AzureML-Hyperdrive-ForecastDNN": ("torch", *_TORCH),
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu": ("lightgbm==3.2.*", "scikit-learn", *_LEARN),
    "AzureML-lightgbm-3.3": ("lightgbm==3.3.*", "scikit-learn", *_LEARN),
    "AzureML-XGBoost-0.9": ("xgboost==0.90", "scikit-learn", *_LEARN),
    "AzureML-responsibleai-0.20-ubuntu20.04-py38-cpu": ("responsibleai", "scikit-learn", *_LEARN),
    **_family("AzureML-Scikit-learn-{}", "scikit-learn=={}", "0.20.3", _LEARN),
    **_family("AzureML-sklearn-{}", "scikit-learn=={}.*", "1.0 1.1 1.5", _LEARN),
    **_family("AzureML-sklearn-{}-ubuntu20.04-py38-cpu", "scikit-learn=={}.*", "1.0", _LEARN),
    **_family("AzureML-sklearn-{}-ubuntu18.04-py37-cpu", "scikit-learn=={}.*", "0.24", _LEARN),
    # Chainer 5 cannot be imported by a Python of today; 7.8.1 is its last version, and runs what was written for 5.
    "AzureML-Chainer-5.1.0-CPU": (_CHAINER, *_COMMON),
    "AzureML-Chainer-5.1.0-GPU": (_CHAINER, *_COMMON),
    **_family("AzureML-PyTorch-{}-CPU", "torch=={}.*", "1.0 1.1 1.2 1.3 1.4 1.5 1.6", _TORCH),
    **_family("AzureML-PyTorch-{}-GPU", "torch=={}.*", "1.0 1.1 1.2 1.3 1.4 1.5 1.6", _TORCH),
    **_family("AzureML-pytorch-{}-ubuntu18.04-py37-cuda11-gpu", "torch=={}.*", "1.7 1.8 1.9", _TORCH),
    **_family("AzureML-pytorch-{}-ubuntu18.04-py38-cuda11-gpu", "torch=={}.*", "1.10", _TORCH),
    **_family("AzureML-ACPT-pytorch-{}-cuda11.3", "torch=={}.*", "1.11 1.12", _TORCH),
    **_family("AzureML-ACPT-pytorch-{}-cuda11.6", "torch=={}.*", "1.12", _TORCH),
    **_family("AzureML-ACPT-pytorch-{}-cuda11.7", "torch=={}.*", "1.13 2.0", _TORCH),
    **_family("AzureML-ACPT-pytorch-{}-cuda12.1", "torch=={}.*", "2.2", _TORCH),
    **_family("AzureML-TensorFlow-{}-CPU", "tensorflow=={}.*", "1.10 1.12 1.13 2.0 2.1 2.2 2.3", _TENSORFLOW),
    **_family("AzureML-TensorFlow-{}-GPU", "tensorflow=={}.*", "1.10 1.12 1.13 2.0 2.1 2.2 2.3", _TENSORFLOW),
    **_family("AzureML-tensorflow-{}-ubuntu18.04-py37-cuda11-gpu", "tensorflow=={}.*", "2.4", _TENSORFLOW),
    **_family("AzureML-tensorflow-{}-ubuntu20.04-py38-cuda11-gpu", "tensorflow=={}.*", "2.5 2.6 2.7", _TENSORFLOW),
    **_family("AzureML-tensorflow-{}-cuda11", "tensorflow=={}.*", "2.8 2.11 2.12", _TENSORFLOW),
    **_family("AzureML-tensorflow-{}-cuda12", "tensorflow=={}.*", "2.16", _TENSORFLOW),
}
_BY_NAME = {name.lower(): name for name in _CURATED}


def names() -> list[str]:
    """Names that are known, in order."""
    return sorted(_CURATED, key=str.lower)


def is_reserved(name: str) -> bool:
    """Tell whether a name begins as only curated ones may."""
    return name.strip().lower().startswith(_PREFIXES)


def curated(name: str) -> EnvironmentSpec | None:
    """Find what a curated name stands for; None if it is no name of that kind.

    Parameters
    ----------
    name
        In any case; what follows ``@`` or ``:`` (a label, a version) makes no difference.

    Raises
    ------
    UserErrorException
        It begins as those names do, and is none of them.
    """
    if not is_reserved(name):
        return None
    plain = re.split("[@:]", name.strip(), maxsplit=1)[0].lower()
    known = _BY_NAME.get(plain)
    if known is None:
        near = difflib.get_close_matches(plain, _BY_NAME, 3, 0.5)
        told = f"did you mean {', '.join(_BY_NAME[each] for each in near)}?" if near else f"known: {', '.join(names())}"
        raise UserErrorException(
            f"{name!r} is not among the curated environments",
            hint=f"{told} Any packages do: --env scikit-learn==1.5.2,pandas",
        )
    packages = _CURATED[known]
    return EnvironmentSpec(
        name=known,
        version="1",
        origin=known,
        pip=packages,
        notes=(f"{known} is served by {_CHAINER}, the last version",) if _CHAINER in packages else (),
        news=(f"{known} stands for {', '.join(packages)}",) if packages else (),
    )
