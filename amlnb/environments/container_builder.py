"""Environments that are container images: given by their name, or built from a Dockerfile."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from amlnb.environments import container_engine, existing
from amlnb.environments.builder import BuildLog
from amlnb.environments.container_engine import Engine
from amlnb.environments.index_settings import settings
from amlnb.environments.interpreters import OLDEST
from amlnb.environments.keys import platform_tag
from amlnb.environments.launching import CONTAINER_FILE
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

_PYTHON = "python"
_PROGRAMS = ("python", "python3")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


class ContainerBuilder:
    """Environments that are container images.

    Parameters
    ----------
    environ
        The person's environment variables.
    credentials
        ``{host: "user:password"}`` of the image's registry.
    """

    name = "container"

    def __init__(self, environ: Mapping[str, str], credentials: Mapping[str, str] | None = None) -> None:
        self._environ = environ
        self._credentials = credentials or {}
        self._hide = settings({}, (), self._credentials).hide

    def lock(self, spec: EnvironmentSpec, log: BuildLog) -> Lock:
        """Have an image, and see what is in it; see `amlnb.environments.builder.Builder`."""
        engine = container_engine.find(self._environ)
        log.step(f"{engine.name} {engine.version} answers")
        source = None
        if spec.dockerfile:
            image = self._built(engine, spec.dockerfile, log)
        else:
            image, source = self._pulled(engine, str(spec.image), log)
        program, version, packages = _python_of(engine, image, spec)
        log.step(f"the image {image} has Python {version}")
        python = LockedPackage(_PYTHON, version, source=program, by=self.name)
        return Lock(
            builder=self.name,
            tool=f"{engine.name} {engine.version}",
            python=version,
            platform=platform_tag(),
            packages=(*([source] if source else []), python, *packages),
            image=image,
        )

    def build(self, lock: Lock, prefix: str, log: BuildLog) -> None:
        """See that the image is there; the folder holds what the runner is told, and a program that starts its Python.

        See `amlnb.environments.builder.Builder`.
        """
        engine = container_engine.find(self._environ)
        image = str(lock.image)
        if _id_of(engine, image) is None:
            self._fetch_again(engine, lock, log)
        log.step(f"the image {image} is there")
        python = next(each for each in lock.packages if each.name == _PYTHON and each.by == self.name)
        told = {
            "kind": self.name,
            "engine": engine.path,
            "image": image,
            "interpreter": python.source,
            "user": engine.user,
            "gpus": engine.gpus,
            "init": engine.init,
        }
        os.makedirs(os.path.join(prefix, "bin"), exist_ok=True)
        with open(os.path.join(prefix, CONTAINER_FILE), "w", encoding="utf-8") as file:
            json.dump(told, file)
        path = os.path.join(prefix, "bin", "python")
        with open(path, "w", encoding="utf-8") as file:
            command = [engine.path, "run", "--rm", "-i", "--network", "host", "--entrypoint", "", image, python.source]
            file.write(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n')
        os.chmod(path, 0o700)

    def _built(self, engine: Engine, dockerfile: str, log: BuildLog) -> str:
        log.step(f"building the image of a Dockerfile of {len(dockerfile.splitlines())} lines")
        more = {"BUILDKIT_PROGRESS": "plain"}
        if engine.name == "docker" and engine.ask(["buildx", "version"]).returncode:
            more["DOCKER_BUILDKIT"] = "0"
        with self._signed_in(engine) as (signed_in, folder):
            target = os.path.join(folder, "image")
            context = os.path.join(folder, "context")
            os.mkdir(context)
            command = ["build", "--network", "host", "--force-rm", "--iidfile", target, "--file", "-"]
            for name in self._environ:
                if name.lower() in _PROXIES:
                    command += ["--build-arg", name]
            code, words = engine.run(
                [*command, context],
                lambda text: log.line(self._hide(text)),
                given=dockerfile,
                more={**more, **signed_in},
            )
            if code:
                raise EnvironmentBuildException(self._hide(words), _hint_of(words))
            with open(target, encoding="ascii") as file:
                image = file.read().strip()
            return _id_of(engine, image) or image

    def _pulled(self, engine: Engine, name: str, log: BuildLog) -> tuple[str, LockedPackage | None]:
        """The id of an image, and where any machine can have it from; None for one that is nowhere else."""
        image = _id_of(engine, name)
        if image is None:
            self._pull(engine, name, log)
            image = _id_of(engine, name)
        if image is None:
            raise EnvironmentBuildException(f"the image {name!r} was pulled, and is not there")
        done = engine.ask(["image", "inspect", "--format", "{{json .RepoDigests}}", image])
        told = json.loads(done.stdout) if not done.returncode else None
        digests = [each for each in told or () if not each.startswith("localhost/")]
        if not digests:
            return image, None
        version = name.rpartition("/")[2].partition(":")[2] or "latest"
        return image, LockedPackage(name, version, source=min(digests), by=self.name)

    def _pull(self, engine: Engine, name: str, log: BuildLog) -> None:
        log.step(f"pulling the image {name}")
        with self._signed_in(engine) as (signed_in, _):
            code, words = engine.run(["pull", name], lambda text: log.line(self._hide(text)), more=signed_in)
        if code:
            raise EnvironmentBuildException(self._hide(words), _hint_of(words))

    def _fetch_again(self, engine: Engine, lock: Lock, log: BuildLog) -> None:
        """Have the image of a lock that was made elsewhere, or that was removed."""
        image = str(lock.image)
        source = next((each.source for each in lock.packages if each.by == self.name and each.name != _PYTHON), None)
        if source is None:
            raise EnvironmentBuildException(
                f"the image {image} is not on this machine, and no registry has it: it was built from a Dockerfile, or "
                "imported",
                "'amlnb env lock --upgrade' builds it anew",
            )
        self._pull(engine, source, log)
        if _id_of(engine, image) is None:
            raise EnvironmentBuildException(
                f"{source} is another image here than {image}, which was locked",
                "'amlnb env lock --upgrade' locks the one that there is",
            )

    @contextlib.contextmanager
    def _signed_in(self, engine: Engine) -> Iterator[tuple[dict[str, str], str]]:
        """Variables by which the client knows the registry's password, and a folder for the time being."""
        with tempfile.TemporaryDirectory(prefix="amlnb-") as folder:
            if not self._credentials:
                yield {}, folder
                return
            auths = {
                host: {"auth": base64.b64encode(pair.encode()).decode()} for host, pair in self._credentials.items()
            }
            own = self._environ.get("DOCKER_CONFIG") or os.path.join(
                self._environ.get("HOME") or os.path.expanduser("~"), ".docker"
            )
            document = _read(os.path.join(own, "config.json"))
            document["auths"] = {**document.get("auths", {}), **auths}
            for name in os.listdir(own) if os.path.isdir(own) else ():
                if name != "config.json":
                    os.symlink(os.path.join(own, name), os.path.join(folder, name))
            path = os.path.join(folder, "config.json")  # the folder is its owner's alone
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document, file)
            yield {"DOCKER_CONFIG": folder, "REGISTRY_AUTH_FILE": path}, folder


def _read(path: str) -> dict[str, dict[str, object]]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _id_of(engine: Engine, name: str) -> str | None:
    done = engine.ask(["image", "inspect", "--format", "{{.Id}}", name])
    return done.stdout.strip() or None if not done.returncode else None


def _python_of(engine: Engine, image: str, spec: EnvironmentSpec) -> tuple[str, str, list[LockedPackage]]:
    """Path and version of the image's Python, and its packages.

    Raises
    ------
    EnvironmentBuildException
        It has none, or one that is older than runs need.
    """
    words = ""
    for program in (spec.interpreter,) if spec.interpreter else _PROGRAMS:
        command = ["run", "--rm", "--network", "none", "--entrypoint", "", image, program, "-I", "-c", existing.PROGRAM]
        done = engine.ask(command)
        if done.returncode:
            words = done.stderr.strip()
            continue
        told = json.loads(done.stdout)
        if tuple(map(int, told["version"].split(".")[:2])) < OLDEST:
            raise EnvironmentBuildException(
                f"the image {image} has Python {told['version']}, and runs need 3.7 or newer",
                hint="take an image with a newer Python, or name another one in it (interpreter_path)",
            )
        packages = {canonicalize_name(name): str(version) for name, version in told["packages"]}
        return (
            told["program"] or program,
            told["version"],
            [LockedPackage(name, packages[name], by="image") for name in sorted(packages)],
        )
    raise EnvironmentBuildException(
        f"the image {image} has no Python that runs: {words}",
        hint="take an image that has one, or name its path (interpreter_path)",
    )


def _hint_of(words: str) -> str | None:
    """Say what to do about an engine's words."""
    if "No space left on device" in words or "no space left on device" in words:
        return "the disk of the container engine is full: 'docker system prune' removes what is not used"
    if any(
        each in words
        for each in ("access denied", "is denied", "nauthorized", "authentication required", "no basic auth")
    ):
        return "is the name spelled right? A private registry wants a user and password: 'docker login HOST' once"
    if any(each in words for each in ("manifest unknown", "not found: manifest", "manifest for")):
        return "the registry has no such tag: name one that it has"
    if any(each in words for each in ("no such host", "dial tcp", "i/o timeout", "connection refused")):
        return "the registry cannot be reached from here: is there a network, a proxy (of the engine itself), a mirror?"
    if any(
        each in words for each in ("COPY failed", "ADD failed", "failed to compute cache key", "checking on sources")
    ):
        return (
            "an image is built from the Dockerfile's text alone: COPY and ADD find no files; the run has its own anyway"
        )
    if any(each in words for each in ("parse error", "unknown instruction", "UNHANDLED")):
        return "correct the Dockerfile"
    return None
