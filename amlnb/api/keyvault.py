"""``Keyvault``: a workspace's secrets, in a file of this machine's user, outside of the workspace."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import platformdirs

from amlnb.core import coercion
from amlnb.errors import UserErrorException
from amlnb.store.plain_files import read_json
from amlnb.store.workspace_dir import WorkspaceDirectory

_FOLDER = "keyvaults"
_WORKSPACE_JSON = "workspace.json"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,126}")


class KeyVaultContentType:
    """What a secret is said to be."""

    not_provided = "not_provided"


class WorkspaceHandle(Protocol):
    """What a key vault needs of its workspace."""

    directory: WorkspaceDirectory

    @property
    def name(self) -> str:
        """Name of the workspace."""


class Keyvault:
    """Secrets of a workspace: texts by their names.

    They are in one file (mode 600, in a folder of mode 700) of the user's data directory, and nowhere in the
    workspace, its runs or their logs: whoever is given a copy of the workspace is given no secret.

    Parameters
    ----------
    workspace
        The workspace; ``workspace.get_default_keyvault()`` is the same.
    """

    def __init__(self, workspace: WorkspaceHandle) -> None:
        self.workspace = workspace
        record = read_json(os.path.join(workspace.directory.path, _WORKSPACE_JSON)) or {}
        identity = re.sub(r"[^0-9A-Za-z-]", "-", str(record.get("id") or workspace.name))
        self._folder = os.path.join(platformdirs.user_data_dir("amlnb"), _FOLDER)
        self._path = os.path.join(self._folder, f"{identity}.json")

    def set_secret(self, name: str, value: str, content_type: Any = KeyVaultContentType.not_provided) -> None:
        """Keep a secret, in place of the one of that name.

        Raises
        ------
        UserErrorException
            The name or the value is none: a name is of letters, digits and ``-``, a value a text.
        """
        self._keep({name: value}, content_type)

    def set_secrets(self, secrets_batch: Mapping[str, str]) -> None:
        """Keep several secrets, ``{name: value}``: all of them or none; raises as `set_secret`."""
        self._keep(secrets_batch, KeyVaultContentType.not_provided)

    def get_secret(self, name: str) -> str:
        """Value of a secret.

        Raises
        ------
        UserErrorException
            There is none of that name.
        """
        return str(self._entry(name)["value"])

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str]:
        """Values of several secrets, by their names; raises as `get_secret`."""
        return {name: self.get_secret(name) for name in secrets}

    def get_secret_content_type(self, name: str) -> str:
        """What a secret was said to be; raises as `get_secret`."""
        return str(self._entry(name).get("content_type", KeyVaultContentType.not_provided))

    def list_secrets(self) -> list[dict[str, str]]:
        """Names of the secrets, ``[{"name": ...}]``, in alphabetical order."""
        return [{"name": name} for name in sorted(self._read())]

    def delete_secret(self, name: str) -> None:
        """Remove a secret; one that is not there is none to remove."""
        self.delete_secrets([name])

    def delete_secrets(self, secrets: Iterable[str]) -> None:
        """Remove several secrets."""
        gone = set(secrets)
        with self._held():
            self._write({name: entry for name, entry in self._read().items() if name not in gone})

    def _keep(self, given: Mapping[Any, Any], content_type: object) -> None:
        for name, value in given.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise UserErrorException(
                    f"{name!r} cannot be the name of a secret", hint="1 to 127 letters, digits and '-', no '-' first"
                )
            if not isinstance(value, str):
                raise UserErrorException(f"the secret {name!r} is a {type(value).__name__}", hint="give a text")
        new = {name: {"value": value, "content_type": str(content_type)} for name, value in given.items()}
        with self._held():
            self._write({**self._read(), **new})

    def _entry(self, name: str) -> dict[str, Any]:
        known = self._read()
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            there = ", ".join(sorted(known)) if known else "none"
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {there}; set_secret(name, value) keeps one"
            raise UserErrorException(f"there is no secret {name!r} in the workspace {self.workspace.name!r}", hint=hint)
        return known[name]

    def _read(self) -> dict[str, dict[str, Any]]:
        found = {key: coercion.mapping(each) for key, each in (read_json(self._path) or {}).items()}
        return {key: each for key, each in found.items() if isinstance(each.get("value"), str)}

    def _write(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        temporary = f"{self._path}.{os.urandom(8).hex()}.new"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            json.dump(secrets, file)
        os.replace(temporary, self._path)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the folder, so that of two who change secrets at once both are heard."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            os.chmod(self._folder, 0o700)
            fd = os.open(self._path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UserErrorException(
                f"secrets cannot be kept in {self._folder!r}: {error.strerror}", hint="make that folder writable"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def __repr__(self) -> str:
        return f"Keyvault(workspace={self.workspace.name!r})"
