"""A conda specification as requirements of pip: what each package is on PyPI, what is left out, what cannot be had."""

from __future__ import annotations

from dataclasses import dataclass

from amlnb.environments import conda_match, conda_names, conda_versions
from amlnb.environments.conda_match import CondaPackage
from amlnb.environments.requirement_names import is_name, is_served, name_of
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec


@dataclass(frozen=True)
class Translation:
    """What becomes of the conda packages of a request; each stands in one of three lists, as it was written.

    Attributes
    ----------
    requirements
        Requirements of pip, in the order of their packages.
    dropped
        Packages that are not needed there.
    untranslatable
        Packages that only conda has, or only a channel of one's own. If there is any, conda has to install them all.
    notes
        What was left out, and what is otherwise than it was asked for: one sentence each.
    news
        What has another name there, or the same.
    """

    requirements: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    untranslatable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


def translate(spec: EnvironmentSpec) -> Translation:
    """Translate the conda part of a request.

    Parameters
    ----------
    spec
        Whatever its ``pip`` part names wins over the same package of conda's, as it does in conda.
    """
    translator = _Translator({name for name in map(name_of, spec.pip) if name}, _private_channel(spec.channels))
    for text in spec.conda:
        translator.add(text)
    return translator.outcome()


def is_public(channel: str) -> bool:
    """Tell whether the packages of a channel are, by and large, on PyPI too.

    Parameters
    ----------
    channel
        A name, an address or a path. An address on the web is known by its last part: mirrors keep the names.
    """
    name = channel.partition("[")[0].rstrip("/")
    if name.startswith(("http://", "https://")):
        name = name.rpartition("/")[2]
    return conda_names.is_public_channel(name.lower().removeprefix("pkgs/").partition("/label/")[0])


def _private_channel(channels: tuple[str, ...]) -> str | None:
    return next((channel for channel in channels if not is_public(channel)), None)


class _Translator:
    def __init__(self, pip_names: set[str], private: str | None) -> None:
        self._pip_names = pip_names
        self._private = private
        self._requirements: list[str] = []
        self._dropped: list[str] = []
        self._untranslatable: list[str] = []
        self._notes: list[str] = []
        self._news: list[str] = []
        self._same: list[str] = []

    def add(self, text: str) -> None:
        try:
            package = conda_match.parse(text, "conda")
        except UserErrorException as error:
            self._cannot(text, error.message)
            return
        private = package.channel if package.channel and not is_public(package.channel) else self._private
        reason = self._reason_dropped(package)
        if private and not (package.channel and is_public(package.channel)):
            self._cannot(text, f"the channel {private} may be the only one that has it")
        elif reason:
            self._dropped.append(text)
            self._notes.append(f"{text} was left out: {reason}")
        elif conda_names.is_only_conda(package.name):
            self._cannot(text, "only conda has it")
        else:
            self._map(text, package)

    def outcome(self) -> Translation:
        same = [f"the same on PyPI: {', '.join(self._same)}"] if self._same else []
        return Translation(
            tuple(self._requirements),
            tuple(self._dropped),
            tuple(self._untranslatable),
            notes=tuple(dict.fromkeys(self._notes)),
            news=tuple(dict.fromkeys([*self._news, *same])),
        )

    def _reason_dropped(self, package: CondaPackage) -> str | None:
        if package.name == "python":
            return "the version of Python is chosen apart from the packages"
        if is_served(package.name):
            return "it is served by amlnb"
        if self._pip_names and name_of(conda_names.PIP_NAMES.get(package.name, package.name)) in self._pip_names:
            return "the pip part names it too"
        return conda_names.reason_dropped(package.name)

    def _map(self, text: str, package: CondaPackage) -> None:
        name = conda_names.PIP_NAMES.get(package.name, package.name)
        if not is_name(name):
            self._cannot(text, "PyPI has no such name")
            return
        version = conda_versions.to_pip(package.version)
        requirement = f"{name}{version or ''}"
        self._requirements.append(requirement)
        lost = self._lost(package, version)
        if lost:
            self._notes.append(f"{_told(package)} is {requirement} on PyPI: {lost}")
        elif name != package.name:
            self._news.append(f"{_told(package)} is {requirement} on PyPI")
        else:
            self._same.append(requirement)

    def _lost(self, package: CondaPackage, version: str | None) -> str:
        if version is None:
            return f"the version {package.version.lstrip('=')} cannot be written there"
        if "|" in package.version:
            return "of alternative versions the last one is taken"
        return f"conda's build {package.build} has no meaning there" if package.build else ""

    def _cannot(self, text: str, why: str) -> None:
        self._untranslatable.append(text)
        self._notes.append(f"{text} cannot be had from PyPI: {why}")


def _told(package: CondaPackage) -> str:
    return f"{package.name} {package.version.lstrip('=')}".strip()
