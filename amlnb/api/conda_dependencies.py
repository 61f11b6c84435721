"""``CondaDependencies``: the packages of an environment as v1 code writes them, in the form of a conda file."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from amlnb.core import coercion
from amlnb.errors import UserErrorException

CONDA_FILE_NAME = "conda_dependencies.yml"
DEFAULT_PYTHON = "3.8.13"
PYTHON_DEFAULT_VERSION = "3.10.18"
CPU = "cpu"
_GPU = "gpu"
_NAME = "project_environment"
_CHANNELS = ("anaconda", "conda-forge")
_SERVED = "azureml-defaults"
_PYTHON = "python"
_INDEX = "--index-url"
_CONDA_NAME = re.compile(r"(?:[^\s\[]*::)?([^\s=<>!~\[]+)")


class CondaDependencies:
    """Conda packages, pip packages and channels.

    Parameters
    ----------
    conda_dependencies_file_path
        A conda environment file to begin with; without one: Python 3.8.13 and ``azureml-defaults``, as in v1.

    Raises
    ------
    UserErrorException, FormatError
        The file is not there, or is no conda environment file.
    """

    def __init__(
        self, conda_dependencies_file_path: str | None = None, _underlying_structure: dict[str, Any] | None = None
    ) -> None:
        # What paths in the pip part are relative to.
        self.folder = os.getcwd()
        if conda_dependencies_file_path is not None:
            path = os.path.abspath(conda_dependencies_file_path)
            self.folder = os.path.dirname(path)
            self._document: dict[str, Any] = _read(path)
        elif _underlying_structure is not None:
            self._document = _in_lists(copy.deepcopy(_underlying_structure))
        else:
            self._document = {
                "name": _NAME,
                "dependencies": [f"{_PYTHON}={DEFAULT_PYTHON}", {"pip": [_SERVED]}],
                "channels": list(_CHANNELS),
            }

    @classmethod
    def create(
        cls,
        pip_indexurl: str | None = None,
        pip_packages: Iterable[str] | None = None,
        conda_packages: Iterable[str] | None = None,
        python_version: str = PYTHON_DEFAULT_VERSION,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Make one of lists of packages.

        Parameters
        ----------
        pip_indexurl
            Address of a package index to use in place of the configured one.
        pip_packages
            Requirements; given, they stand in place of ``azureml-defaults``.
        conda_packages
            Conda packages, such as ``scikit-learn=1.4``.
        python_version
            Version of Python.
        pin_sdk_version
            Accepted: amlnb serves the ``azureml`` names itself.
        """
        found = cls()
        found.set_python_version(python_version)
        if pip_packages is not None:
            found.set_pip_requirements(pip_packages)
        if pip_indexurl:
            found.set_pip_index_url(pip_indexurl)
        for package in _texts(conda_packages or (), "conda_packages"):
            found.add_conda_package(package)
        return found

    @property
    def conda_packages(self) -> Iterator[str]:
        """Conda packages, without Python."""
        return (each for each in self._conda() if _conda_name(each) != _PYTHON)

    @property
    def pip_packages(self) -> Iterator[str]:
        """Pip packages, without options."""
        return (each for each in self._pip() if not each.startswith("-"))

    @property
    def pip_options(self) -> Iterator[str]:
        """Options for pip, such as ``--index-url ADDRESS``."""
        return (each for each in self._pip() if each.startswith("-"))

    @property
    def conda_channels(self) -> Iterator[str]:
        """Channels, the first one goes before the others."""
        return iter(list(self._document.get("channels") or []))

    @property
    def python_version(self) -> str | None:
        """Version of Python that is asked for, such as ``3.8.13``; None if none is."""
        for each in self._conda():
            if _conda_name(each) == _PYTHON:
                return each.partition(_PYTHON)[2].strip().lstrip("=").strip() or None
        return None

    def get_python_version(self) -> str | None:
        """The same as `python_version`."""
        return self.python_version

    def set_python_version(self, version: str) -> None:
        """Ask for another version of Python."""
        kept = [each for each in self._dependencies() if not _is_conda(each, _PYTHON)]
        self._document["dependencies"] = [f"{_PYTHON}={_text(version, 'the version of Python')}", *kept]

    def add_conda_package(self, conda_package: str) -> None:
        """Add a conda package; one that is there with another pin stays, as in v1."""
        text = _text(conda_package, "a conda package")
        if _conda_name(text) == _PYTHON:
            self._document["dependencies"] = [each for each in self._dependencies() if not _is_conda(each, _PYTHON)]
        found = self._dependencies()
        if text not in found:
            at = next((i for i, each in enumerate(found) if isinstance(each, dict)), len(found))
            found.insert(at, text)

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove a conda package by its name, whatever its pin."""
        name = _conda_name(_text(conda_package, "a conda package"))
        self._document["dependencies"] = [each for each in self._dependencies() if not _is_conda(each, name)]

    def add_pip_package(self, pip_package: str) -> None:
        """Add a pip package; one of the same name is replaced."""
        text = _text(pip_package, "a pip package")
        name = _pip_name(text)
        found = self._pip_list()
        for index, each in enumerate(found):
            if _pip_name(each) == name:
                found[index] = text
                return
        found.append(text)

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove a pip package by its name, whatever its pin."""
        name = _pip_name(_text(pip_package, "a pip package"))
        self._keep_pip(each for each in self._pip() if _pip_name(each) != name)

    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Put these pip packages, and options, in place of all."""
        self._keep_pip(())
        for each in _texts(pip_requirements, "pip_packages"):
            if each.startswith("-"):
                self.set_pip_option(each)
            else:
                self.add_pip_package(each)

    def set_pip_option(self, pip_option: str) -> None:
        """Add an option for pip."""
        text = _text(pip_option, "an option of pip")
        if text not in self._pip():
            self._keep_pip([*self.pip_options, text, *self.pip_packages])

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove an option for pip, as it was added or by its name."""
        text = _text(pip_option, "an option of pip")
        self._keep_pip(each for each in self._pip() if each != text and re.split(r"[\s=]", each)[0] != text)

    def set_pip_index_url(self, index_url: str) -> None:
        """Use another package index."""
        self.remove_pip_option(_INDEX)
        self.set_pip_option(f"{_INDEX} {_text(index_url, 'the address of an index')}")

    def add_channel(self, channel: str) -> None:
        """Add a channel, behind those that are there."""
        text = _text(channel, "a channel")
        channels = [*self.conda_channels]
        self._document["channels"] = channels if text in channels else [*channels, text]

    def remove_channel(self, channel: str) -> None:
        """Remove a channel."""
        self._document["channels"] = [each for each in self.conda_channels if each != channel]

    def add_tensorflow_conda_package(self, core_type: str = CPU, version: str | None = None) -> None:
        """Add TensorFlow as a conda package: ``core_type`` is ``cpu`` or ``gpu``."""
        self.add_conda_package(_tensorflow(core_type) + (f"={version}" if version else ""))

    def add_tensorflow_pip_package(self, core_type: str = CPU, version: str | None = None) -> None:
        """Add TensorFlow as a pip package: ``core_type`` is ``cpu`` or ``gpu``."""
        self.add_pip_package(_tensorflow(core_type) + (f"=={version}" if version else ""))

    def remove_tensorflow_conda_package(self, core_type: str = CPU, version: str | None = None) -> None:
        """Remove TensorFlow from the conda packages, whatever its version."""
        self.remove_conda_package(_tensorflow(core_type))

    def remove_tensorflow_pip_package(self, core_type: str = CPU, version: str | None = None) -> None:
        """Remove TensorFlow from the pip packages, whatever its version."""
        self.remove_pip_package(_tensorflow(core_type))

    def as_dict(self) -> dict[str, Any]:
        """All of it as a conda environment file holds it."""
        return copy.deepcopy(self._document)

    def serialize_to_string(self) -> str:
        """The text of a conda environment file."""
        import yaml

        text: str = yaml.safe_dump(self._document, sort_keys=False, allow_unicode=True, width=1000)
        return text

    def save(self, path: str | None = None) -> str:
        """Write it to a file (default: ``conda_dependencies.yml`` here) and return its path."""
        target = os.path.abspath(path or CONDA_FILE_NAME)
        with open(target, "w", encoding="utf-8") as file:
            file.write(self.serialize_to_string())
        return target

    def save_to_file(self, base_directory: str, conda_file_path: str | None = None) -> str:
        """Write it to a file below a folder and return its path relative to that."""
        name = conda_file_path or CONDA_FILE_NAME
        self.save(os.path.join(base_directory, name))
        return name

    def __repr__(self) -> str:
        return self.serialize_to_string()

    def _dependencies(self) -> list[Any]:
        return coercion.items(self._document["dependencies"])

    def _conda(self) -> list[str]:
        return [each for each in self._dependencies() if isinstance(each, str)]

    def _pip(self) -> list[str]:
        parts = [each for each in self._dependencies() if isinstance(each, dict)]
        return [text for part in parts for text in coercion.texts(part.get("pip"))]

    def _pip_list(self) -> list[str]:
        self._keep_pip(self._pip())
        found: list[str] = self._dependencies()[-1]["pip"]
        return found

    def _keep_pip(self, texts: Iterable[str]) -> None:
        """Put these in place of the pip part, which is the last one."""
        kept = list(texts)
        others = [each for each in self._dependencies() if not isinstance(each, dict)]
        self._document["dependencies"] = [*others, {"pip": kept}]


def _read(path: str) -> dict[str, Any]:
    import yaml

    from amlnb.environments import conda_text, text_files

    name = os.path.basename(path)
    text = text_files.read(path, name)
    conda_text.parse(text, name, os.path.dirname(path), os.environ)  # says what is wrong with it, and where
    # A version stays the text that it is: 3.10 is no number.
    return _in_lists(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - it makes nothing but texts


def _in_lists(document: dict[str, Any]) -> dict[str, Any]:
    """Make lists of what may also be written as one text, or as nothing."""
    for key in ("dependencies", "channels"):
        value = document.get(key) or []
        document[key] = value if isinstance(value, list) else [value]
    return document


def _tensorflow(core_type: str) -> str:
    if core_type not in (CPU, _GPU):
        raise UserErrorException(f"core_type is {core_type!r}", hint="it is 'cpu' or 'gpu'")
    return "tensorflow-gpu" if core_type == _GPU else "tensorflow"


def _is_conda(dependency: object, name: str) -> bool:
    return isinstance(dependency, str) and _conda_name(dependency) == name


def _conda_name(text: str) -> str:
    found = _CONDA_NAME.match(text)
    return found[1].lower() if found else text


def _pip_name(text: str) -> str:
    """Name of a requirement as indexes compare it; where only its files tell one, all of it."""
    from amlnb.environments.requirement_names import name_of

    return name_of(text) or text


def _texts(values: object, what: str) -> list[str]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UserErrorException(f"{what} is {values!r}", hint=f"give a list: {what}=['numpy', 'pandas==2.2']")
    return [_text(each, what) for each in values]


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserErrorException(f"{what} is {value!r}", hint="give a text that is not empty")
    return value.strip()
