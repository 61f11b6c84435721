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

from amlnb import host
from amlnb.core import coercion, layout
from amlnb.errors import FormatError, UserErrorException
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
    workspace, its runs or their logs: whoever is given a copy of the workspace is given no secret. They belong to the
    workspace at its place: a copy of it has secrets of its own, and so has one that was moved.

    Parameters
    ----------
    workspace
        The workspace; ``workspace.get_default_keyvault()`` is the same.
    """

    def __init__(self, workspace: WorkspaceHandle) -> None:
        self.workspace = workspace
        data = os.path.realpath(workspace.directory.path)
        record = read_json(os.path.join(data, _WORKSPACE_JSON)) or {}
        identity = re.sub(r"[^0-9A-Za-z-]", "-", str(record.get("id") or workspace.name))
        self._folder = os.path.join(platformdirs.user_data_dir("amlnb"), _FOLDER)
        self._path = os.path.join(self._folder, f"{identity}-{layout.short_hash(data)}.json")

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
        return [{"name": name} for name in sorted(self._entries())]

    def delete_secret(self, name: str) -> None:
        """Remove a secret; one that is not there is none to remove."""
        self.delete_secrets([name])

    def delete_secrets(self, secrets: Iterable[str]) -> None:
        """Remove several secrets."""
        gone = set(secrets)
        with self._held():
            self._write({name: entry for name, entry in self._read().items() if name not in gone})

    def delete(self) -> None:
        """Remove them all, with the file that they are in, damaged or not."""
        if not os.path.exists(self._path):
            return
        with self._held():
            self._remove_leftovers()
            for path in (self._path, self._lock_path):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

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
        known = self._entries()
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            there = ", ".join(sorted(known)) if known else "none"
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {there}; set_secret(name, value) keeps one"
            raise UserErrorException(f"there is no secret {name!r} in the workspace {self.workspace.name!r}", hint=hint)
        return known[name]

    def _entries(self) -> dict[str, dict[str, Any]]:
        """The secrets that can be understood."""
        found = {key: coercion.mapping(each) for key, each in self._read().items()}
        return {key: each for key, each in found.items() if isinstance(each.get("value"), str)}

    def _read(self) -> dict[str, Any]:
        """All that the file holds; what a newer version wrote there is to be kept."""
        found = read_json(self._path)
        if found is None and os.path.lexists(self._path):
            raise FormatError(
                f"the file of the secrets of the workspace {self.workspace.name!r}, {self._path!r}, is damaged",
                hint="put a copy of it in its place; or remove it, and set the secrets again",
            )
        return found or {}

    def _write(self, secrets: Mapping[str, Any]) -> None:
        self._remove_leftovers()
        try:
            host.replace_file(self._path, json.dumps(secrets).encode("ascii"), mode=0o600)
        except OSError as error:
            raise self._unwritable(error) from error

    def _remove_leftovers(self) -> None:
        """Remove what writers that were killed left behind: nobody else writes now."""
        mine = os.path.basename(self._path) + "."
        for name in os.listdir(self._folder):
            if name.startswith(mine) and name.endswith(".new"):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._folder, name))

    @property
    def _lock_path(self) -> str:
        return self._path + ".lock"

    def _unwritable(self, error: OSError) -> UserErrorException:
        return UserErrorException(
            f"secrets cannot be kept in {self._folder!r}: {error.strerror}",
            hint="free some space there, and make that folder writable",
        )

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the folder, so that of two who change secrets at once both are heard."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            os.chmod(self._folder, 0o700)
            fd = self._locked()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            os.close(fd)

    def _locked(self) -> int:
        """The lock file, held: the one that has its name now, not one that was removed meanwhile."""
        while True:
            fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(self._lock_path)):
                    return fd
            os.close(fd)

    def __repr__(self) -> str:
        return f"Keyvault(workspace={self.workspace.name!r})"
