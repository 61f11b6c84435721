"""Addresses that specifications hold: variables in them expanded, user and password taken out of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from amlnb.environments import written_secrets
from amlnb.errors import UserErrorException

_BEGINS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/\s?#\"']*)([^\s\"']*)")
_USER_AND_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s?#\"']*@")
# With quotation marks, which may be part of a password too.
_WHOLE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/\s?#]*)(\S*)")
# pip's own rule: capital letters, digits and underscores.
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")

_TOKEN = re.compile(r"/t/(?!\$\{)[^/]+(/|$)")
# What a password with a / in it, or an address in an address, leaves behind the host.
_PASSWORD = re.compile(r":[^/]*@|://")


@dataclass(frozen=True)
class Cleaned:
    """A text without credentials.

    Attributes
    ----------
    text
        What may be written down. Variables in the path of an address, and those that hold an address, stand there as
        they were: what they hold may be a secret, and who uses the address expands them.
    credentials
        ``{host[:port]: "user:password"}``, percent-encoded as it stood.
    """

    text: str
    credentials: Mapping[str, str] = field(repr=False)


def has_token(address: str) -> bool:
    """Tell whether an address of a conda channel holds a token that is not a variable."""
    return bool(_TOKEN.search(address))


def expanded(text: str, environ: Mapping[str, str], where: str) -> str:
    """Expand ``${NAME}`` in a text that `cleaned` made, for who opens the address: the outcome may be secret.

    Raises
    ------
    UserErrorException
        A variable is not set.
    """
    return _VARIABLE.sub(lambda found: _value(found[1], environ, where), text)


def variables(text: str) -> list[str]:
    """Names of the variables that a text of `cleaned` names, such as NAME for ``https://host/${NAME}/x``."""
    return _VARIABLE.findall(text)


def is_address(text: str) -> bool:
    """Tell whether a text begins as an address does, such as ``https://`` or ``git+ssh://``."""
    return bool(_BEGINS.match(text))


def cleaned(text: str, environ: Mapping[str, str], where: str) -> Cleaned:
    """Expand ``${NAME}`` as pip does, and take user and password out of every address of a text.

    Parameters
    ----------
    text
        A requirement, an option's value or a channel.
    environ
        The person's environment variables.
    where
        Where it stands, for messages.

    Raises
    ------
    UserErrorException
        A variable is not set; or the addresses have different credentials for one host.
    """
    found: dict[str, str] = {}
    parts: list[str] = []
    end = 0
    for match in _ADDRESS.finditer(text):
        parts += [_outside(text[end : match.start()], environ, where, found), _without(match, environ, where, found)]
        end = match.end()
    parts.append(_outside(text[end:], environ, where, found))
    return Cleaned("".join(parts), found)


def checked(text: str, environ: Mapping[str, str], where: str) -> Cleaned:
    """The same as `cleaned`, of a text that is to be kept: no secret is left in its addresses.

    Raises
    ------
    UserErrorException
        As `cleaned`; or it cannot be told what in an address is a password, or its query has a secret.
    """
    found = cleaned(text, environ, where)
    for scheme, authority, rest in _WHOLE.findall(found.text):
        _check(scheme, authority, rest, where)
    return found


def hidden(text: str) -> str:
    """A text without user and password of the addresses in it, for messages."""
    return _USER_AND_PASSWORD.sub(r"\1", text)


def joined(credentials: dict[str, str], more: Mapping[str, str], where: str) -> None:
    """Add credentials to those that were found before.

    Raises
    ------
    UserErrorException
        A host has others already.
    """
    for host, pair in more.items():
        if credentials.setdefault(host, pair) != pair:
            raise UserErrorException(
                f"{where}: {host} has another user and password than above",
                hint="one host has one user and password in an environment",
            )


def _outside(text: str, environ: Mapping[str, str], where: str, found: dict[str, str]) -> str:
    def told(variable: re.Match[str]) -> str:
        value = _value(variable[1], environ, where)
        held = list(_ADDRESS.finditer(value))
        for address in held:
            _without(address, environ, where, found)
        return variable[0] if held else value

    return _VARIABLE.sub(told, text)


def _check(scheme: str, authority: str, rest: str, where: str) -> None:
    """Refuse an address that may still have a password in it: one that is not written as addresses have to be."""
    if scheme.lower() == "file://":
        return
    _, at, host = authority.rpartition("@")
    try:
        _ = urlsplit(f"//{host}").port
        is_host = True
    except ValueError:
        is_host = scheme.endswith("ssh://") and "@" not in rest
    if not is_host or _PASSWORD.search(rest) or (at and not scheme.endswith("ssh://")):
        raise UserErrorException(
            f"{where}: it cannot be told where in an address the host is: a ':' or an '@' stands where none may be",
            hint="write ${NAME} for the password and set that variable; or %2F, %3F, %23, %40 for /, ?, #, @ in it",
        )
    name = written_secrets.in_query(rest)
    if name is not None:
        raise UserErrorException(
            f"{where}: {name} in the address of {host} is a secret, which would be kept with every run",
            hint=f"write ${{NAME}} for it, such as {name}=${{TOKEN}}, and set that environment variable",
        )


def _without(match: re.Match[str], environ: Mapping[str, str], where: str, found: dict[str, str]) -> str:
    scheme, authority, rest = match.groups()
    user_and_password, at, host = authority.rpartition("@")
    host = expanded(host, environ, where)
    if not at:
        user_and_password, at, host = host.rpartition("@")
    for name in _VARIABLE.findall(rest):
        _value(name, environ, where)
    if not at:
        return f"{scheme}{host}{rest}"
    user, colon, password = user_and_password.partition(":")
    user = expanded(user, environ, where)
    if scheme.endswith("ssh://"):
        # Whose account it is, and no secret; ssh asks for no password in an address.
        return f"{scheme}{user}@{host}{rest}"
    if not colon:
        user, _, password = user.partition(":")
    joined(found, {_host(host): f"{user}:{expanded(password, environ, where)}"}, where)
    return f"{scheme}{host}{rest}"


def _host(text: str) -> str:
    try:
        return urlsplit(f"//{text}").netloc.lower()
    except ValueError:
        return text.lower()


def _value(name: str, environ: Mapping[str, str], where: str) -> str:
    value = environ.get(name)
    if not value:
        raise UserErrorException(
            f"{where}: the environment variable {name} is not set, or empty", hint=f"set {name} before you submit"
        )
    return value
