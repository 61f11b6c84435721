"""Secrets that were written out where a specification is kept: in the query of an address, in a Dockerfile."""

from __future__ import annotations

import re

from amlnb.errors import UserErrorException

# The last word of a name says what it is: TOKENIZERS_PARALLELISM and KEY_FILE are no secrets.
_IN_QUERY = re.compile(
    r"(?i)(?:^|[^a-z])(?:sig|signature|\w*token|\w*key|pass|pwd|\w*passw(?:or)?d|\w*secret|credentials?)$"
)
# PWD alone is where a shell is.
_IN_DOCKERFILE = re.compile(
    r"(?i)(?:(?:^|_)(?:token|pass|secret|signature|credentials?|apikey"
    r"|(?:api|access|secret|private|account|storage|auth)_key)|_pwd|passw(?:or)?d|passphrase|connection_?string)$"
)
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
_ADDRESS = re.compile(rf"({_SCHEME})([^\s\"'\\/?#]*)([^\s\"'\\]*)")
_CONTINUED = re.compile(r"\\[ \t]*\n")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*\n?")
_SETTING = re.compile(r"(?i)\s*(?:ENV|ARG|LABEL)\s+(.*)", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)")
_OLD_PAIR = re.compile(r"([A-Za-z_]\w*)\s+(.*)", re.DOTALL)
# Where a shell's command ends, and what stands before the variables that it sets.
_COMMAND_ENDS = re.compile(r"&&|\|\||[;|{}]|(?<!\$)\(")
_BEFORE = re.compile(r"(?i)\s*(?:(?:RUN|CMD|ENTRYPOINT|export|env|sudo|then|do|else|--\S+|-\w+)\s+)*")
_BRACED = re.compile(r"\$\{\w+\}")
# Also what a shell puts in place, and a default that is empty.
_OF_A_SHELL = re.compile(r"\$\{\w+(?::?[-+?])?\}|\$\w+|\$\(.*|`.*", re.DOTALL)


def in_query(address: str, variable: re.Pattern[str] = _BRACED) -> str | None:
    """Name of the part of an address's query that holds a secret, which is no ``variable``; None if there is none."""
    query = address.partition("?")[2].partition("#")[0]
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        if variable.sub("", value) and _IN_QUERY.search(name):
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
    for name, value in _set_in(line):
        if _is_written(value.strip("\"'")) and _IN_DOCKERFILE.search(name):
            return f"the value of {name}"
    for scheme, authority, rest in _ADDRESS.findall(line):
        if _has_password(scheme.lower(), authority, rest):
            return "a user or password in an address"
        part = in_query(rest, _OF_A_SHELL)
        if part is not None:
            return f"{part} in an address"
    return None


def _set_in(line: str) -> list[tuple[str, str]]:
    """Names and values of the variables that a line sets."""
    setting = _SETTING.match(line)
    if setting is not None:
        # As Docker reads it: without a = in its first word, all behind that is the value.
        kind = _PAIR if "=" in re.split(r"\s", setting[1], maxsplit=1)[0] else _OLD_PAIR
        return [(name, value) for name, value in kind.findall(setting[1])]
    found = []
    for command in _COMMAND_ENDS.split(line):
        before = _BEFORE.match(command)
        end = before.end() if before is not None else 0
        while pair := _PAIR.match(command, end):
            found.append((pair[1], pair[2]))
            end = pair.end() + len(command[pair.end() :]) - len(command[pair.end() :].lstrip())
    return found


def _has_password(scheme: str, authority: str, rest: str) -> bool:
    user_and_password, at, _ = authority.rpartition("@")
    if not at:  # a / in a password: what is behind the : is no port
        _, colon, port = authority.partition(":")
        return bool(colon) and "@" in rest and _is_written(port) and not port.isdigit()
    user, colon, password = user_and_password.partition(":")
    # Of ssh, a user is whose account it is.
    is_token = not colon and scheme.endswith(("https://", "http://"))
    return _is_written(password) or (is_token and _is_written(user))


def _is_written(value: str) -> bool:
    """Tell whether a value has more in it than variables."""
    return bool(_OF_A_SHELL.sub("", value))
