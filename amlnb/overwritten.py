"""Files of our ``azureml`` names that the retired SDK has overwritten: both occupy the same paths."""

from __future__ import annotations

import os
import sys

from amlnb.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

_FOLDER = "azureml/"
_told: List[str] = []


def trouble() -> Optional[Tuple[str, str]]:
    """Tell whether files of ours are gone or another's.

    Returns
    -------
    tuple or None
        What is wrong, and how to repair it; None if all is well.
    """
    site = _site()
    ours = [entry for entry in _recorded(os.path.join(site, f"amlnb-{__version__}.dist-info")) if entry[1]]
    wrong = [name for name, digest, _ in ours if not _is(os.path.join(site, name), digest)]
    if not wrong:
        return _elsewhere()
    mine = {name for name, _, _ in ours}
    packages = [name for name in _foreign(site) if mine & {each[0] for each in _recorded_of(site, name)}]
    remove = f"pip uninstall -y {' '.join(packages)} && " if packages else ""
    return (
        f"{len(wrong)} of the {len(ours)} files of amlnb's azureml names are overwritten or gone, such as {wrong[0]!r}"
        + (f": {', '.join(packages)} occupies the same paths" if packages else ""),
        f"{remove}pip install --force-reinstall --no-deps amlnb=={__version__}",
    )


def tell_once() -> None:
    """Say it on stderr, once a process, where the retired SDK is installed beside amlnb. Costs a look at one folder."""
    if _told:
        return
    _told.append("")
    found = trouble() if _foreign(_site()) else None
    if found is not None:
        sys.stderr.write("amlnb: {}\nhint: {}\n".format(*found))


def own_folder() -> str:
    """Where our ``azureml`` names are: beside the package in an installation, inside of it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "compat", "azureml")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "azureml")


def _elsewhere() -> Optional[Tuple[str, str]]:
    """Tell whether another ``azureml`` is found before ours."""
    for folder in sys.path:
        found = os.path.join(folder or os.curdir, "azureml", "core", "__init__.py")
        if os.path.isfile(found):
            if os.path.samefile(os.path.dirname(os.path.dirname(found)), own_folder()):
                return None
            names = _foreign(folder or os.curdir)
            repair = f"pip uninstall -y {' '.join(names)}" if names else "rename that folder, or take it off the path"
            return f"another azureml is found before amlnb's: {os.path.dirname(os.path.dirname(found))!r}", repair
    return None


def _recorded(info: str) -> List[List[str]]:
    """``[name, digest, size]`` of the files below azureml/ that an installed package recorded."""
    try:
        with open(os.path.join(info, "RECORD"), encoding="utf-8") as file:
            return [line.rstrip("\n").rsplit(",", 2) for line in file if line.startswith(_FOLDER)]
    except OSError:
        return []


def _recorded_of(site: str, package: str) -> List[List[str]]:
    beginning = package.replace("-", "_") + "-"
    infos = [name for name in os.listdir(site) if name.startswith(beginning) and name.endswith(".dist-info")]
    return [entry for info in infos for entry in _recorded(os.path.join(site, info))]


def _site() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _foreign(site: str) -> List[str]:
    """Names of the packages there that are the retired SDK's."""
    try:
        names = os.listdir(site)
    except OSError:
        return []
    found = {name.partition("-")[0].replace("_", "-") for name in names if _is_foreign(name)}
    return sorted(found)


def _is_foreign(name: str) -> bool:
    return name.startswith("azureml_") and name.endswith((".dist-info", ".egg-info"))


def _is(path: str, digest: str) -> bool:
    """Tell whether a file has this digest, as RECORD writes it: ``sha256=`` and base64 without its padding."""
    import base64
    import hashlib

    try:
        with open(path, "rb") as file:
            found = hashlib.sha256(file.read()).digest()
    except OSError:
        return False
    return "sha256=" + base64.urlsafe_b64encode(found).rstrip(b"=").decode() == digest
