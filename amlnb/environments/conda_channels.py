"""Where conda packages come from: the channels of a specification, and the person's own condarc."""

from __future__ import annotations

import base64
import os
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import yaml

from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

# conda's own settings where nobody has others.
_DEFAULT_CHANNELS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_ALIAS = "https://conda.anaconda.org"
_DEFAULTS, _NO_DEFAULTS = "defaults", "nodefaults"
_SHAPES = {
    "channels": list,
    "default_channels": list,
    "custom_channels": dict,
    "custom_multichannels": dict,
    "proxy_servers": dict,
    "channel_alias": str,
}
# Stands for those of the configuration where a specification names none.
_CONFIGURED = ""
_NAMES = (".condarc", "condarc")


@dataclass(frozen=True)
class Channels:
    """Channels in the order in which they are asked.

    Attributes
    ----------
    addresses
        Of the channels; without credentials.
    credentials
        ``{host: "user:password"}``, and ``{host: "token"}`` of those that take a token in the path (``/t/TOKEN/``).
    """

    addresses: tuple[str, ...]
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers(self) -> Callable[[str, str], dict[str, str] | None]:
        """What tells the headers of a request by its host and path."""
        known = {}
        for host, pair in self.credentials.items():
            if ":" in pair:
                plain = ":".join(unquote(part) for part in pair.split(":", 1))
                known[_host_name(host)] = {"Authorization": f"Basic {base64.b64encode(plain.encode()).decode()}"}

        def of(host: str, _path: str) -> dict[str, str] | None:
            return known.get(host)

        return of

    def with_tokens(self) -> dict[str, list[str]]:
        """``{beginning of an address: [the same with its token]}``."""
        found = {}
        for address in self.addresses:
            parts = urlsplit(address)
            token = next(
                (pair for host, pair in self.credentials.items() if _is_token_of(host, pair, parts.netloc)), None
            )
            if token:
                origin = f"{parts.scheme}://{parts.netloc}/"
                found[origin] = [f"{origin}t/{token}/"]
        return found


def configuration(environ: Mapping[str, str]) -> dict[str, Any]:
    """Conda's settings that say where packages come from: its files, the ones that count more over the others.

    Parameters
    ----------
    environ
        The person's environment variables.

    Returns
    -------
    dict
        By conda's own names; addresses still have their credentials.

    Raises
    ------
    EnvironmentBuildException
        A file is no YAML.
    """
    joined: dict[str, Any] = {}
    for path in _files(environ):
        for name, value in _read(path, environ).items():
            held = joined.get(name)
            if isinstance(value, list) and isinstance(held, list):
                joined[name] = [*value, *(each for each in held if each not in value)]
            elif isinstance(value, dict) and isinstance(held, dict):
                joined[name] = {**held, **value}
            else:
                joined[name] = value
    for name in ("channels", "default_channels"):
        told = environ.get(f"CONDA_{name.upper()}")
        if told:
            joined[name] = [each.strip() for each in told.split(",")]
    for name in ("channel_alias", "channel_priority", "ssl_verify"):
        if environ.get(f"CONDA_{name.upper()}"):
            joined[name] = environ[f"CONDA_{name.upper()}"]
    return joined


def resolve(
    named: Sequence[str], configured: Mapping[str, Any], credentials: Mapping[str, str], environ: Mapping[str, str]
) -> Channels:
    """Find the addresses of channels.

    Parameters
    ----------
    named
        As `of` gives them: names, addresses and paths. Where a specification names none, those of the configuration
        are taken; they are not added to those that it names: it means the same on another machine.
    configured
        What `configuration` found: ``defaults`` and other names mean what they mean to conda.
    credentials
        ``{host: "user:password"}`` of the specification.
    environ
        The person's environment variables: addresses may name them (``${TOKEN}``).
    """
    own = list(configured.get("channels") or [_DEFAULTS])
    asked = [word for each in named if each != _NO_DEFAULTS for word in (own if each == _CONFIGURED else [each])]
    addresses: dict[str, None] = {}
    found: dict[str, str] = {}
    for each in asked or own:
        for address in _addresses(str(_expanded(each, environ)).strip(), configured):
            clean, secret = split_secret(address)
            addresses[clean.rstrip("/")] = None
            found.update(secret)
    return Channels(tuple(addresses), {**found, **credentials})


def of(spec: EnvironmentSpec) -> tuple[str, ...]:
    """The channels of a specification, and those that its packages name (``channel::package``)."""
    named = [each.rpartition("::")[0] for each in spec.conda if "::" in each]
    return tuple(dict.fromkeys([*(spec.channels or (_CONFIGURED,)), *named]))


def split_secret(address: str) -> tuple[str, dict[str, str]]:
    """Split an address into itself without credentials, and these by its host.

    A user with a password becomes ``{host: "user:password"}``; a token in the path (``/t/TOKEN/``) ``{host: "TOKEN"}``.

    Raises
    ------
    EnvironmentBuildException
        It is no address.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise EnvironmentBuildException(
            f"a conda channel has an address that cannot be understood: {error}", hint="is it spelled right?"
        ) from error
    if not parts.netloc:
        return address, {}
    pair, _, host = parts.netloc.rpartition("@")
    path, found = parts.path, {}
    if pair:
        found[host] = pair if ":" in pair else f"{pair}:"
    if path.startswith("/t/"):
        token, _, rest = path.removeprefix("/t/").partition("/")
        path, found[host] = f"/{rest}", token
    return urlunsplit((parts.scheme, host, path, parts.query, parts.fragment)), found


def certificates(configured: Mapping[str, Any]) -> str | None:
    """The file of certificates that conda is told to trust, if there is one."""
    told = configured.get("ssl_verify")
    return os.path.expanduser(told) if isinstance(told, str) and os.path.exists(os.path.expanduser(told)) else None


def _addresses(name: str, configured: Mapping[str, Any]) -> list[str]:
    """Addresses of what one word stands for."""
    several = {_DEFAULTS: configured.get("default_channels") or _DEFAULT_CHANNELS}
    several.update(configured.get("custom_multichannels") or {})
    if name in several:
        return [address for each in several[name] for address in _addresses(str(each), {**configured, **_NOT_AGAIN})]
    if "://" in name:
        return [name]
    if name.startswith(("/", "~", "./", "../")):
        return [f"file://{os.path.abspath(os.path.expanduser(name))}"]
    custom = configured.get("custom_channels") or {}
    for prefix in sorted(custom, key=len, reverse=True):
        if name == prefix or name.startswith(f"{prefix}/"):
            return [f"{_base(str(custom[prefix]))}/{name}"]
    return [f"{_base(str(configured.get('channel_alias') or _ALIAS))}/{name}"]


# A name among several of its own name is a plain one.
_NOT_AGAIN: Mapping[str, Any] = {"custom_multichannels": None}


def _base(address: str) -> str:
    return (address if "://" in address else f"file://{os.path.abspath(os.path.expanduser(address))}").rstrip("/")


def _files(environ: Mapping[str, str]) -> list[str]:
    """The files that conda reads, those that count most last."""
    home = environ.get("HOME") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    folders = ["/etc/conda", "/var/lib/conda"]
    folders += [root for root in conda_roots(environ) if root != environ.get("CONDA_PREFIX")]
    folders += [os.path.join(config, "conda"), os.path.join(home, ".conda")]
    paths = [os.path.join(folder, name) for folder in folders for name in _NAMES]
    paths.append(os.path.join(home, ".condarc"))
    if environ.get("CONDA_PREFIX"):
        paths += [os.path.join(environ["CONDA_PREFIX"], name) for name in _NAMES]
    paths += [environ["CONDARC"]] if environ.get("CONDARC") else []
    return [path for path in paths if os.path.isfile(path)]


def conda_roots(environ: Mapping[str, str]) -> list[str]:
    """Folders where conda, mamba or micromamba is installed or keeps environments, by the variables they set."""
    found = [environ.get(name, "") for name in ("CONDA_ROOT", "MAMBA_ROOT_PREFIX")]
    for name in ("CONDA_EXE", "CONDA_PYTHON_EXE"):
        program = environ.get(name)
        found.append(os.path.dirname(os.path.dirname(program)) if program else "")
    return list(dict.fromkeys(folder for folder in found if folder))


def _read(path: str, environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except OSError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EnvironmentBuildException(
            f"conda's configuration {path!r} cannot be read: {error}", hint="correct the file, or remove it"
        ) from error
    if not isinstance(found, dict):
        return {}
    return {name: _expanded(value, environ) for name, value in found.items() if _is_usable(name, value)}


def _is_usable(name: object, value: object) -> bool:
    """Tell whether a setting has the shape that it has for conda, which tells of others itself."""
    return isinstance(value, _SHAPES.get(str(name), object))


def _expanded(value: Any, environ: Mapping[str, str]) -> Any:
    """With environment variables filled in, as conda does: passwords are kept out of files that way."""
    if isinstance(value, str):
        return string.Template(value).safe_substitute(environ)
    if isinstance(value, list):
        return [_expanded(each, environ) for each in value]
    if isinstance(value, dict):
        return {name: _expanded(each, environ) for name, each in value.items()}
    return value


def _host_name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or host


def _is_token_of(host: str, pair: str, netloc: str) -> bool:
    return ":" not in pair and (host == netloc or host == _host_name(netloc))
