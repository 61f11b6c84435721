"""Which conda packages meet a specification: py-rattler's solver, and what to do about what it says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amlnb.environments.conda_channels import Channels, resolve
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from rattler import Client, MatchSpec, RepoDataRecord

# The run side needs it.
_OLDEST = "python >=3.7"
_UNREACHABLE = ("dns error", "tcp connect error", "timed out", "Network is unreachable", "Connection refused")
_REFUSED = re.compile(r"\b(401 Unauthorized|403 Forbidden|407 Proxy)")


class Unsolvable(EnvironmentBuildException):
    """No set of packages of the channels meets the specification."""


class Solver:
    """Solves against channels.

    Parameters
    ----------
    channels
        Where packages come from.
    configured
        Settings of conda: ``channel_priority`` counts.
    client
        Who asks the channels.
    cache
        Folder for their lists of packages.
    environ
        The person's environment variables.
    """

    def __init__(
        self, channels: Channels, configured: Mapping[str, Any], client: Client, cache: str, environ: Mapping[str, str]
    ) -> None:
        from rattler import Channel, Gateway, Subdir

        self._channels = channels
        self._configured = configured
        self._environ = environ
        self._gateway = Gateway(cache_dir=cache, client=client)  # type: ignore[arg-type]  # it takes any path
        self._sources = [Channel(address) for address in channels.addresses]
        self._platforms = [Subdir.current(), Subdir("noarch")]

    async def solve(self, spec: EnvironmentSpec, own: str) -> tuple[list[RepoDataRecord], list[str]]:
        """Choose the packages.

        Parameters
        ----------
        spec
            The specification. A Python that is soft becomes the workspace's own, else the one that was asked for, else
            any that the packages can be had for.
        own
            The workspace's minor version.

        Returns
        -------
        tuple
            The packages' records; and notes on what is otherwise than it was asked for.

        Raises
        ------
        Unsolvable
            There is no such set. The message is the solver's own.
        """
        wanted = [self._match(each) for each in spec.conda]
        failure: Unsolvable | None = None
        for python in _pythons(spec, own):
            try:
                records = await self._solve([*wanted, self._match(python)], spec)
            except Unsolvable as error:
                failure = error
                continue
            got = next(str(record.version) for record in records if record.name.normalized == "python")
            return records, _notes(spec, got, own)
        assert failure is not None  # noqa: S101 - there is always a Python to try
        raise failure

    async def _solve(self, wanted: Sequence[MatchSpec], spec: EnvironmentSpec) -> list[RepoDataRecord]:
        from rattler import ChannelPriority, VirtualPackage, solve
        from rattler.exceptions import SolverError

        priorities = [ChannelPriority.Strict, ChannelPriority.Disabled]
        told = str(self._configured.get("channel_priority") or "flexible").lower()
        if told == "strict" or len(self._sources) == 1:
            priorities.pop()
        elif told in ("disabled", "false"):
            priorities.pop(0)
        for priority in priorities:
            try:
                return await solve(
                    sources=self._sources,
                    specs=list(wanted),
                    gateway=self._gateway,
                    platforms=self._platforms,
                    virtual_packages=VirtualPackage.detect(),
                    channel_priority=priority,
                    constraints=[_OLDEST],
                )
            except SolverError as error:
                failure = error
        raise Unsolvable(str(failure).strip(), await self._hint(wanted)) from failure

    def _match(self, text: str) -> MatchSpec:
        """Parse a match specification; the channel that it may name is known by its address."""
        from rattler import MatchSpec
        from rattler.exceptions import InvalidMatchSpecError

        channel, _, package = text.rpartition("::")
        address = ""
        if channel:
            address = resolve([channel], self._configured, {}, self._environ).addresses[0] + "::"
        try:
            return MatchSpec(f"{address}{package}")
        except InvalidMatchSpecError as error:
            raise EnvironmentBuildException(
                f"{text!r} is no conda package specification: {error}",
                hint="write for example numpy=1.26 or numpy>=1.24,<2",
            ) from error

    async def _hint(self, wanted: Sequence[MatchSpec]) -> str:
        """What is nearest to the first package that is not there; else that they do not go together."""
        where = ", ".join(self._channels.addresses)
        names = {str(each.normalized) for each in await self._gateway.names(self._sources, self._platforms)}
        for each in wanted:
            name = each.name.normalized
            if name not in names:
                near = difflib.get_close_matches(name, sorted(names), 3, 0.7)
                return f"there is no {name} in {where}" + (f"; is it {' or '.join(near)}?" if near else "")
            found = await self._gateway.query(self._sources, self._platforms, [name], recursive=False)
            records = [record for records in found for record in records]
            if not any(each.matches(record) for record in records):
                versions = sorted({record.version for record in records})
                near = [str(version) for version in nearest(versions, str(each.version or ""))]
                too_old = "; runs need Python 3.7 or newer" if name == "python" else ""
                are = "is" if len(near) == 1 else "are"
                return f"the nearest of {name} in {where} {are} {' and '.join(near)}{too_old}"
        return "these do not go together: leave one of the versions open, or name another channel"


def nearest(versions: Sequence[Any], wanted: str) -> list[Any]:
    """The versions just below and above the first number that stands in ``wanted``; the highest where none does.

    Parameters
    ----------
    versions
        In ascending order; comparable with each other.
    wanted
        A version specification, such as ``>=1.2,<2`` or ``1.18.*``.
    """
    from rattler import Version

    number = re.search(r"\d[\w.]*", wanted)
    if number is None:
        return list(versions[-1:])
    limit = Version(number[0].rstrip(".*"))
    below = [each for each in versions if Version(str(each)) < limit][-1:]
    above = [each for each in versions if Version(str(each)) >= limit][:1]
    return [*below, *above]


def hint_of(told: str) -> str | None:
    """Say what to do about an error of py-rattler, by its words.

    Parameters
    ----------
    told
        What it said.
    """
    if "No space left on device" in told:
        return "the disk is full: free some space ('amlnb env gc' removes environments that are not used)"
    if _REFUSED.search(told):
        return "the channel wants a user and password, or a token: put them into its address, ~/.condarc or ~/.netrc"
    if "certificate" in told.lower():
        return (
            "its certificate is signed by somebody unknown here: name the file with SSL_CERT_FILE or conda's ssl_verify"
        )
    if any(each in told for each in _UNREACHABLE):
        return (
            "the channel cannot be reached from here: is there a network, a proxy (HTTPS_PROXY), a mirror "
            "(default_channels and channel_alias in ~/.condarc)? Without --conda, and where PyPI has them all, pip "
            "packages are taken in their place"
        )
    if "not a supported scheme" in told:
        return "a channel is a name, a folder, or an address that begins with https:// or file://"
    if "could not find subdir" in told:
        return "there is no conda channel at this address: is it spelled right?"
    if "hash" in told.lower() and "mismatch" in told.lower():
        return "the channel offers another file than the one that was locked; 'amlnb env lock --upgrade' locks anew"
    return None


def _pythons(spec: EnvironmentSpec, own: str) -> list[str]:
    """Which Pythons to try, one after the other."""
    asked = [] if spec.python is None else [_python(spec.python)]
    if asked and (spec.strict or not spec.python_is_soft):
        return asked
    return list(dict.fromkeys([_python(own), *asked, "python"]))


def _python(version: str) -> str:
    """A version as people write it as a match specification: ``3.11`` is any 3.11."""
    text = version.replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"python {text}.*"
    return f"python {text}" if text[:1] in "<>=!~" or text.endswith("*") else f"python =={text}"


def _notes(spec: EnvironmentSpec, got: str, own: str) -> list[str]:
    from rattler import BuildString, MatchSpec, PackageRecord

    minor = ".".join(got.split(".")[:2])
    if spec.python is None:
        return [] if minor == own else [f"Python {got} is taken: the packages cannot be had for {own}"]
    asked = MatchSpec(_python(spec.python))
    if asked.matches(PackageRecord("python", got, BuildString("0"), 0, "noarch")):
        return []
    why = "the workspace's own" if minor == own else f"the packages cannot be had for {own} or {spec.python}"
    return [f"python={spec.python} was asked for, and Python {got} is taken: {why} (strict=True insists)"]
