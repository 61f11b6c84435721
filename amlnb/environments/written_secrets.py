"""Secrets that were written out where a specification is kept: in the query of an address, in a Dockerfile."""

from __future__ import annotations

import re

from amlnb.errors import UserErrorException

# The last word of a name says what it is: TOKENIZERS_PARALLELISM and KEY_FILE are no secrets.
_IN_QUERY = re.compile(r"(?i)(?:^|[^a-z])(?:sig|signature|\w*token|\w*key|pwd|passw(?:or)?d|\w*secret|credentials?)$")
_IN_DOCKERFILE = re.compile(
    r"(?i)(?:^|_)(?:token|passw(?:or)?d|secret|signature|credentials?|apikey"
    r"|(?:api|access|secret|private|account|storage|auth)_key)$"
)
_ADDRESS = re.compile(r"https?://[^\s\"'\\]+", re.IGNORECASE)
_USER_AND_PASSWORD = re.compile(r"(?i)https?://([^/\s?#]*)@")
_CONTINUED = re.compile(r"\\[ \t]*\n")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*\n?")
_SETTING = re.compile(r"(?i)\s*(?:ENV|ARG)\s+(.*)", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)")
_OLD_PAIR = re.compile(r"([A-Za-z_]\w*)\s+(.*)", re.DOTALL)


def in_query(address: str) -> str | None:
    """Name of the part of an address's query that holds a secret, which is no variable; None if there is none."""
    query = address.partition("?")[2].partition("#")[0]
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        if value and "${" not in value and _IN_QUERY.search(name):
            return name
    return None


def check_dockerfile(text: str, called: str) -> None:
    """Refuse a Dockerfile that has a secret in it: it is kept with the run, and the image shows it to everyone.

    Parameters
    ----------
    text
        Of the Dockerfile.
    called
        What messages call it.

    Raises
    ------
    UserErrorException
        It sets a variable such as ``API_TOKEN`` to a value that stands there, or has an address with a password. The
        secret itself is not repeated.
    """
    for line in _CONTINUED.sub(" ", _COMMENT.sub("", text.replace("\r\n", "\n"))).split("\n"):
        found = _secret_of(line)
        if found is not None:
            raise UserErrorException(
                f"{called} has a secret in it, {found}: it would be kept with every run and in the image",
                hint="build the image yourself ('docker build --secret'), and name it: docker:IMAGE",
            )


def _secret_of(line: str) -> str | None:
    setting = _SETTING.match(line)
    if setting is not None:
        pairs = _PAIR.findall(setting[1]) or _OLD_PAIR.findall(setting[1])
        for name, value in pairs:
            if value.strip("\"'") and "$" not in value and _IN_DOCKERFILE.search(name):
                return f"the value of {name}"
    if any("$" not in each.rpartition(":")[2] for each in _USER_AND_PASSWORD.findall(line)):
        return "a user or password in an address"
    for address in _ADDRESS.findall(line):
        name = in_query(address)
        if name is not None:
            return f"{name} in an address"
    return None
