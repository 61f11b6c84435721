"""Where packages come from: pip's and uv's own configuration, as uv takes it; and what in it is secret.

uv reads its own variables itself, and not those of pip, which are put into its variables here; of its own files it gets
what `amlnb.environments.uv_configuration` leaves. Variables, not arguments: what is secret in an address must not stand
in a list of processes.
"""

from __future__ import annotations

import base64
import configparser
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

from amlnb.environments import addresses, uv_configuration

# pip's names of what uv has a variable for, and that variable.
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
# Of these uv has no variable; nothing in them is secret.
_ARGUMENTS = ("no-index", "no-binary", "only-binary")
_OF_INDEXES = frozenset({"index-url", "extra-index-url", "find-links", "no-index"})
_LISTS = frozenset({"extra-index-url", "find-links", "trusted-host", "no-binary", "only-binary"})
_SWITCHES = frozenset({"no-index"})
_SEPARATORS = {"find-links": ","}
# Where any of these is set, the person has told uv itself.
_UVS_OWN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
# To the last @: a password may have one that is not escaped. Of ssh it is an account, and no secret.
_SECRET = re.compile(r"(?<!ssh://)(?<=://)([^/?#\s]+)@")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'`<>]+")
_OF_PEOPLE = ("UV_", "PIP_")
_OF_PROXIES = "_PROXY"
_OPTION = re.compile(r"([^\s=]*)[\s=]?\s*(.*)", re.DOTALL)
_SHORTEST_SECRET = 4
_HIDDEN = "****"


@dataclass(frozen=True)
class IndexSettings:
    """What uv is told.

    Attributes
    ----------
    environ
        Variables to set for uv, over those of the person.
    arguments
        Arguments of all its commands that ask for packages.
    netrc
        Lines of a netrc file with the credentials of the specification; empty if it has none.
    secrets
        What must not be shown.
    variables
        ``{value: "${NAME}"}`` of the variables in addresses.
    configuration
        Text of the one file of uv's own kind that it is to read.
    """

    environ: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    netrc: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    configuration: str = field(default="", repr=False)

    def hide(self, text: str) -> str:
        """The text without what is secret in it."""
        text = self.named(text)
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return _SECRET.sub(f"{_HIDDEN}@", text)

    def knowing_variables_of(self, text: str, environ: Mapping[str, str]) -> IndexSettings:
        """The same, which knows the variables in the addresses of a text too: what they hold may be secret."""
        found = {
            value: f"${{{name}}}"
            for name in addresses.variables(text)
            if environ.get(name)
            for value in (environ[name], addresses.hidden(environ[name]))
        }
        return replace(self, variables={**self.variables, **found}) if found else self

    def named(self, text: str) -> str:
        """The text with the variables in its addresses as they were written, ``${NAME}``, for what they hold."""
        return _ADDRESS.sub(self._named, text) if self.variables else text

    def _named(self, address: re.Match[str]) -> str:
        text = address[0]
        for value in sorted(self.variables, key=len, reverse=True):
            for form in {value, quote(value), quote(value, safe="")}:
                text = text.replace(form, self.variables[value])
        return text


def settings(
    environ: Mapping[str, str],
    options: Sequence[str] = (),
    credentials: Mapping[str, str] | None = None,
    folder: str = "/",
) -> IndexSettings:
    """Join the person's configuration and the options of a specification.

    Parameters
    ----------
    environ
        The person's environment variables.
    options
        Lines such as ``--extra-index-url ADDRESS``, as requirements files have them. An index replaces that of the
        configuration, all else is added.
    credentials
        ``{host: "user:password"}`` of the addresses of a specification.
    folder
        Where uv runs: what a project there says of it counts.

    Raises
    ------
    UserErrorException
        A variable in the address of an option is not set; or a file of uv's own cannot be read.
    """
    credentials = credentials or {}
    of_uv = uv_configuration.read(environ, folder)
    configured = pip_configuration(environ)
    if any(environ.get(name) for name in _UVS_OWN) or uv_configuration.says_where(of_uv):
        configured = {name: value for name, value in configured.items() if name not in _OF_INDEXES}
    told: dict[str, str] = {}
    arguments: list[str] = []
    expanded = [addresses.expanded(option, environ, option.partition(" ")[0]) for option in options]
    for name, value in _with_options(configured, expanded, environ).items():
        variable = _VARIABLES.get(name)
        if variable and value and (name in _OF_INDEXES or not environ.get(variable)):
            told[variable] = _SEPARATORS.get(name, " ").join(value) if name in _LISTS else value[-1]
        elif name in _ARGUMENTS and value:
            arguments += [f"--{name}"] if name in _SWITCHES else [f"--{name}={each}" for each in value]
    if told.keys() & {"UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL"} and not environ.get("UV_INDEX_STRATEGY"):
        # As pip has it: the best version of all indexes, whichever has it.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "ALL_PROXY" in told and any(environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "all_proxy")):
        del told["ALL_PROXY"]
    told.update(_certificates(told, environ))
    told.update(_for_git(credentials, environ))
    told_by_file = uv_configuration.text_of(of_uv)
    written = [value for name, value in environ.items() if _may_hold_secrets(name)]
    return IndexSettings(
        told,
        tuple(arguments),
        _netrc(credentials, environ),
        _longest_first(_secrets([*told.values(), *written, *told_by_file.split()], credentials.values())),
        configuration=told_by_file,
    ).knowing_variables_of("\n".join(options), environ)


def pip_configuration(environ: Mapping[str, str]) -> dict[str, list[str]]:
    """Settings of pip by their long names: its files, the site's last, then its variables.

    Parameters
    ----------
    environ
        The person's environment variables.
    """
    told: dict[str, str] = {}
    parsers = list(map(_parsed, _files(environ)))
    # As in pip, a section for one command goes before what is for all, in whichever file.
    for section in ("global", "install"):
        for parser in parsers:
            if parser.has_section(section):
                told.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            told[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    found = {name: value.split() if name in _LISTS else [value.strip()] for name, value in told.items()}
    if "timeout" in found or "default-timeout" in found:
        found["timeout"] = _whole_seconds(found.pop("default-timeout", []) + found.pop("timeout", []))
    for name in _SWITCHES & found.keys():
        found[name] = ["1"] if found[name][-1:] and found[name][-1].lower() in ("1", "true", "yes", "on") else []
    return found


def _files(environ: Mapping[str, str]) -> list[str]:
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = environ.get("HOME") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    shared = [
        *(os.path.join(each, "pip", "pip.conf") for each in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")),
        "/etc/pip.conf",
    ]
    # As in pip: a file that a variable names stands in for the person's own.
    named = [own] if own and os.path.exists(own) else []
    users = [] if named else [os.path.join(home, ".pip", "pip.conf"), os.path.join(config, "pip", "pip.conf")]
    if sys.platform == "darwin":
        shared.append("/Library/Application Support/pip/pip.conf")
        users += [] if named else [os.path.join(home, "Library", "Application Support", "pip", "pip.conf")]
    return [*shared, *users, os.path.join(sys.prefix, "pip.conf"), *named]


def _parsed(path: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return configparser.RawConfigParser()  # pip itself tells of it, with every command
    return parser


def _whole_seconds(values: Sequence[str]) -> list[str]:
    """A time as uv takes it; pip has fractions too."""
    try:
        return [str(math.ceil(float(values[-1])))]
    except (ValueError, OverflowError):
        return []


def _with_options(
    configured: Mapping[str, list[str]], options: Sequence[str], environ: Mapping[str, str]
) -> dict[str, list[str]]:
    joined = {name: list(value) for name, value in configured.items()}
    names = {"-i": "index-url", "-f": "find-links"}
    for option in options:
        flag, value = _OPTION.match(option).groups()  # type: ignore[union-attr]  # it matches any text
        name = names.get(flag, flag.lstrip("-"))
        if name == "index-url":
            joined[name] = [value.strip()]
        elif name in _LISTS:
            # What uv is told by its own variable is not lost to what a specification adds.
            separator = _SEPARATORS.get(name)
            already = joined.get(name) or [e for e in environ.get(_VARIABLES.get(name, ""), "").split(separator) if e]
            joined[name] = [*already, value.strip()]
        elif name in _SWITCHES:
            joined[name] = ["1"]
    return joined


def _certificates(told: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Where pip looks for certificates too, and uv does not."""
    if told.get("SSL_CERT_FILE") or environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR"):
        return {}
    path = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    if not path:
        return {}
    return {"SSL_CERT_DIR" if os.path.isdir(path) else "SSL_CERT_FILE": path}


def _for_git(credentials: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that give git, which uv starts and which reads the netrc of the home only, the credentials of hosts.

    A header, not an address: git's own helpers have the address among their arguments.
    """
    try:
        count = int(environ.get("GIT_CONFIG_COUNT") or 0)
    except ValueError:
        return {}
    told = {}
    for host, pair in credentials.items():
        for scheme in ("http", "https"):
            told[f"GIT_CONFIG_KEY_{count}"] = f"http.{scheme}://{host}/.extraHeader"
            told[f"GIT_CONFIG_VALUE_{count}"] = f"Authorization: Basic {_basic(pair)}"
            count += 1
    return {**told, "GIT_CONFIG_COUNT": str(count)} if told else {}


def _basic(pair: str) -> str:
    return base64.b64encode(unquote(pair).encode()).decode()


def _may_hold_secrets(name: str) -> bool:
    return name.startswith(_OF_PEOPLE) or name.upper().endswith(_OF_PROXIES)


def _secrets(values: Iterable[str], pairs: Iterable[str]) -> list[str]:
    """Credentials, those in addresses too, as they stand there and as they are meant."""
    found = []
    for pair in [*pairs, *(each for value in values for each in _SECRET.findall(value))]:
        user, _, password = pair.partition(":")
        for each in (pair, password or user):
            plain = unquote(each)
            found += [each, plain, quote(plain), quote(plain, safe="")]
        found.append(_basic(pair))
    return found


def _longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    kept = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    return tuple(sorted(kept, key=lambda secret: (-len(secret), secret)))


def _netrc(credentials: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The person's own netrc, and the credentials of the specification before it."""
    if not credentials:
        return ""
    lines = []
    for host, pair in credentials.items():
        user, _, password = map(_in_netrc, pair.partition(":"))
        name = urlsplit(f"//{host}").hostname or host
        lines.append(f"machine {name} login {user} password {password}")
    path = environ.get("NETRC") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".netrc")
    try:
        with open(path, encoding="utf-8") as file:
            lines.append(file.read())
    except (OSError, UnicodeDecodeError):
        pass
    return "\n".join([*lines, ""])


def _in_netrc(text: str) -> str:
    """A word as uv reads it in a netrc file, whatever is in it."""
    plain = unquote(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
