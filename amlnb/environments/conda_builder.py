"""Environments of conda packages, solved and installed by py-rattler; their pip part is installed by uv."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from amlnb.environments import conda_channels
from amlnb.environments.asking import HOW_TO_INSTALL, NO_RATTLER
from amlnb.environments.builder import BuildLog, Interpreter, counted
from amlnb.environments.conda_activation import note_variables
from amlnb.environments.conda_solver import Solver, hint_of
from amlnb.environments.existing import installed_packages
from amlnb.environments.index_settings import IndexSettings, settings
from amlnb.environments.keys import platform_tag
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.environments.pip_packages import PipPackages, Unsatisfiable
from amlnb.environments.prefixes import interpreter_of
from amlnb.environments.uv import Uv
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

if TYPE_CHECKING:
    from rattler import Client, InstallerReporter, RepoDataRecord

_Result = TypeVar("_Result")
_FOLDER = "conda"
_SUFFIXES = (".conda", ".tar.bz2")
# What a record of an installed package tells beyond what a lock holds.
_OF_INDEX = ("build_number", "constrains", "depends", "license", "license_family", "noarch", "timestamp")


class CondaBuilder:
    """Environments of conda packages.

    Parameters
    ----------
    interpreter
        The workspace's Python: its minor version is taken where none, or a soft one, was asked for.
    environ
        The person's environment variables: the configuration of conda, pip and uv is honoured.
    folder
        Where the person works; uv's project settings there count.
    credentials
        ``{host: "user:password"}`` of the addresses of the specification.
    cache
        The host-local cache.
    channels, pip_options
        Of the specification (`conda_channels.of`): what is built from a lock needs their credentials and indexes too.
    """

    name = "conda"

    def __init__(
        self,
        interpreter: Interpreter,
        environ: Mapping[str, str],
        folder: str,
        credentials: Mapping[str, str],
        cache: str,
        channels: Sequence[str] = (),
        pip_options: Sequence[str] = (),
    ) -> None:
        self._interpreter = interpreter
        self._environ = environ
        self._folder = folder
        self._credentials = credentials
        self._cache = os.path.join(cache, _FOLDER)
        self._channels = channels
        self._pip_options = pip_options

    def lock(self, spec: EnvironmentSpec, log: BuildLog) -> Lock:
        """Solve a conda specification; see `amlnb.environments.builder.Builder`."""
        rattler = _rattler()
        configured = conda_channels.configuration(self._environ)
        channels = conda_channels.resolve(conda_channels.of(spec), configured, self._credentials, self._environ)
        sources = self._settings(channels)
        notes: list[str] = []
        os.makedirs(self._cache, exist_ok=True)
        asked = counted(len(spec.conda), "conda package")
        log.step(f"solving {asked} from {', '.join(channels.addresses)}")
        with _variables(sources, configured):
            client = _client(channels)
            solver = Solver(channels, configured, client, os.path.join(self._cache, "repodata"), self._environ)
            records, told = _run(solver.solve(spec, self._interpreter.minor), sources)
            notes += told
            packages = sorted(map(_locked, records), key=lambda each: each.name)
            for package in packages:
                log.line(f"  {package.name} {package.version}")
            if spec.pip:
                packages += self._lock_pip(spec, records, client, sources, log, notes)
        for note in notes:
            log.note(note)
        python = next(package.version for package in packages if package.name == "python")
        log.step(f"solved: {counted(len(packages), 'package')}, Python {python}")
        return Lock(
            builder=self.name,
            tool=f"py-rattler {rattler.__version__}",
            python=python,
            platform=platform_tag(),
            packages=tuple(sorted(packages, key=lambda each: (each.name, each.by))),
            notes=tuple(notes),
        )

    def build(self, lock: Lock, prefix: str, log: BuildLog) -> None:
        """Install the packages of a lock; see `amlnb.environments.builder.Builder`."""
        _rattler()
        configured = conda_channels.configuration(self._environ)
        ours = [package for package in lock.packages if package.by == self.name]
        named = conda_channels.resolve(self._channels, configured, self._credentials, self._environ)
        channels = conda_channels.Channels(tuple(dict.fromkeys(map(_channel_of, ours))), named.credentials)
        sources = self._settings(channels)
        os.makedirs(self._cache, exist_ok=True)
        _check_files(ours)
        log.step(f"installing {counted(len(ours), 'conda package')}")
        with _variables(sources, configured):
            self._install([_record(package) for package in ours], prefix, _client(channels), sources, log)
        _complete_records(prefix)
        of_pip = [package for package in lock.packages if package.by != self.name]
        if of_pip:
            log.step(f"installing {counted(len(of_pip), 'pip package')}")
            self._pip(sources, interpreter_of(prefix)).install(of_pip, interpreter_of(prefix), log, exact=False)
        note_variables(prefix, self._environ, log)

    def _lock_pip(
        self,
        spec: EnvironmentSpec,
        records: Sequence[RepoDataRecord],
        client: Client,
        sources: IndexSettings,
        log: BuildLog,
        notes: list[str],
    ) -> list[LockedPackage]:
        """Resolve the pip part beside the conda packages, which are installed for that in a folder that goes away."""
        with tempfile.TemporaryDirectory(prefix="resolving-", dir=self._cache) as prefix:
            asked = counted(len(spec.pip), "pip requirement")
            log.step(f"resolving {asked} beside the conda packages with uv")
            self._install(records, prefix, client, sources, log)
            python = interpreter_of(prefix)
            packages = self._pip(sources, python, spec.pip_options)
            there = {each.name: each.version for each in installed_packages(python)}
            pins = [f"{name}=={version}" for name, version in there.items()]
            try:
                found = packages.compile(spec.pip, log, constraints=(*spec.constraints, *pins), there=there).packages
            except Unsatisfiable as error:
                if spec.strict:
                    raise
                try:
                    found = packages.compile(spec.pip, log, constraints=spec.constraints, there=there).packages
                except Unsatisfiable:
                    raise error from None
        replaced = [each for each in found if each.name in there and each.version != there[each.name]]
        notes += [
            f"pip's {each.name} {each.version} replaces conda's {there[each.name]}, which the pip part cannot do with"
            for each in replaced
        ]
        return [each for each in found if there.get(each.name) != each.version]

    def _install(
        self,
        records: Sequence[RepoDataRecord],
        prefix: str,
        client: Client,
        sources: IndexSettings,
        log: BuildLog,
    ) -> None:
        from rattler import install

        async def do() -> None:
            await install(
                list(records),
                target_prefix=prefix,
                cache_dir=os.path.join(self._cache, "packages"),  # type: ignore[arg-type]  # it takes any path
                client=client,
                # As conda does: some packages are finished by theirs.
                execute_link_scripts=True,
                reporter=_progress(log, len(records)),
            )

        _run(do(), sources)

    def _pip(self, sources: IndexSettings, python: str, options: Sequence[str] = ()) -> PipPackages:
        return PipPackages(Uv(self._environ, sources, self._folder), python, options)

    def _settings(self, channels: conda_channels.Channels) -> IndexSettings:
        known = {**channels.credentials, **self._credentials}
        pairs = {host: pair for host, pair in known.items() if ":" in pair}
        found = settings(self._environ, self._pip_options, pairs, self._folder)
        return replace(found, secrets=(*found.secrets, *(pair for pair in known.values() if ":" not in pair)))


def _progress(log: BuildLog, packages: int) -> InstallerReporter:
    """Who tells how far an installation is, in the thread that waits for it."""
    from rattler import InstallerReporter

    loop = asyncio.get_running_loop()
    names: list[str] = []
    done = itertools.count(1)

    class Progress(InstallerReporter):
        def on_link_start(self, operation: int, package_name: str) -> int:
            names.append(package_name)
            return len(names) - 1

        def on_link_complete(self, index: int) -> None:
            loop.call_soon_threadsafe(log.progress, next(done), packages, names[index])

    return Progress()  # type: ignore[abstract]  # its other methods do nothing


def _rattler() -> Any:
    try:
        import rattler
    except ImportError as error:
        raise EnvironmentBuildException(f"{NO_RATTLER}: {error}", hint=HOW_TO_INSTALL) from error
    return rattler


def _client(channels: conda_channels.Channels) -> Client:
    """Who asks the channels: with the specification's credentials, and those that the person keeps for rattler."""
    from rattler import Client
    from rattler.networking import middleware

    return Client(
        [
            middleware.MirrorMiddleware(channels.with_tokens()),
            middleware.AddHeadersMiddleware(channels.headers()),
            middleware.RetryMiddleware(),
            middleware.AuthenticationMiddleware(),
        ]
    )


def _run(work: Coroutine[Any, Any, _Result], sources: IndexSettings) -> _Result:
    """Wait for what py-rattler does; whatever fails there is told in its own words, without secrets."""
    try:
        return asyncio.run(work)
    except EnvironmentBuildException as error:
        raise type(error)(sources.hide(error.message), error.hint) from error
    except Exception as error:  # the boundary: py-rattler's errors have no common root
        words = sources.hide(str(error)) or type(error).__name__
        raise EnvironmentBuildException(words, hint_of(words)) from error


@contextlib.contextmanager
def _variables(sources: IndexSettings, configured: Mapping[str, Any]) -> Iterator[None]:
    """Let py-rattler, which reads only variables of this process, see the certificates and proxies of pip and conda."""
    told = {name: value for name, value in sources.environ.items() if name in ("SSL_CERT_FILE", "ALL_PROXY")}
    certificates = conda_channels.certificates(configured)
    if certificates:
        told["SSL_CERT_FILE"] = certificates
    for scheme, address in (configured.get("proxy_servers") or {}).items():
        told[f"{scheme.upper()}_PROXY"] = str(address)
    told = {name: value for name, value in told.items() if not os.environ.get(name)}
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]


def _locked(record: RepoDataRecord) -> LockedPackage:
    digests = [("sha256", record.sha256), ("md5", record.md5)]
    hashes = [f"{name}:{value.hex()}" for name, value in digests if value]
    return LockedPackage(record.name.normalized, str(record.version), tuple(hashes[:1]), record.url, CondaBuilder.name)


def _record(package: LockedPackage) -> RepoDataRecord:
    """What py-rattler needs to fetch, check and install a locked package."""
    from rattler import BuildString, PackageRecord, RepoDataRecord

    source = str(package.source)
    file_name = source.rpartition("/")[2]
    stem = next(file_name.removesuffix(each) for each in _SUFFIXES if file_name.endswith(each))
    digests = dict(each.split(":", 1) for each in package.hashes)
    record = PackageRecord(
        package.name,
        package.version,
        BuildString(stem.rpartition("-")[2]),
        0,
        source.split("/")[-2],
        sha256=bytes.fromhex(digests["sha256"]) if "sha256" in digests else None,
        md5=bytes.fromhex(digests["md5"]) if "md5" in digests else None,
    )
    return RepoDataRecord(record, file_name, source, _channel_of(package))


def _channel_of(package: LockedPackage) -> str:
    return str(package.source).rsplit("/", 2)[0]


def _check_files(packages: Sequence[LockedPackage]) -> None:
    """Compare files of channels that are folders with their hashes: py-rattler does it for what it downloads only."""
    for package in packages:
        path = unquote(str(package.source).removeprefix("file://"))
        kind, _, wanted = next(iter(package.hashes), "").partition(":")
        if not str(package.source).startswith("file://") or not wanted or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        if found != wanted:
            words = f"hash mismatch of {path}: expected {wanted}, got {found}"
            raise EnvironmentBuildException(words, hint_of(words))


def _complete_records(prefix: str) -> None:
    """Tell conda, in its records of what is installed, what a lock does not hold: dependencies above all."""
    folder = os.path.join(prefix, "conda-meta")
    for name in os.listdir(folder):
        if not name.endswith(".json"):
            continue
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        with open(os.path.join(record["extracted_package_dir"], "info", "index.json"), encoding="utf-8") as file:
            index = json.load(file)
        record.update({name: index[name] for name in _OF_INDEX if index.get(name) is not None})
        with open(path, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
