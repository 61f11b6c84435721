"""From a request to a built environment: once, however many ask for it at the same time, and whoever is killed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Iterator, Mapping

from amlnb.environments import locks, prefixes
from amlnb.environments.builder import Builder, BuildLog, counted
from amlnb.environments.keys import platform_tag
from amlnb.environments.lock import Lock
from amlnb.environments.requests import Found, Order
from amlnb.environments.uv_builder import UvBuilder
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import CONDA, CONTAINER


def build(order: Order, cache: str, environ: Mapping[str, str], log: BuildLog) -> Found:
    """Bring an environment into being, unless it is there.

    Parameters
    ----------
    order
        What is asked for.
    cache
        The host-local cache.
    environ
        The person's environment variables.
    log
        Is told how it goes.

    Raises
    ------
    EnvironmentBuildException
        It cannot be made; nothing half-made stays.
    """
    key = order.request.key
    began = time.monotonic()
    builder = builder_of(order, environ, cache)
    with _held(os.path.join(cache, prefixes.BUILDS, key), log):
        lock = decide(order, builder, log)
    if order.only_lock:
        return Found(lock)
    if lock.platform != platform_tag():
        raise EnvironmentBuildException(
            f"the lock is of {lock.platform}, and this machine is {platform_tag()}",
            hint="lock the same request here: 'amlnb env lock --upgrade'",
        )
    prefix = prefixes.path_of(cache, lock.key)
    if prefixes.is_built(prefix):
        log.step("ready: it was built before")
        return Found(lock, prefix)
    with _held(prefix, log):
        if not prefixes.is_built(prefix):
            _build(builder, lock, prefix, order.request.spec.called, log)
    log.step(f"ready after {time.monotonic() - began:.1f} s")
    return Found(lock, prefix)


@contextlib.contextmanager
def _held(path: str, log: BuildLog) -> Iterator[None]:
    """Hold what only one process may do at a time; that another one does it is told."""
    with prefixes.held(path, wait=False) as free:
        if free:
            yield
            return
    log.step("another process is at it: waiting")
    with prefixes.held(path):
        yield


def decide(order: Order, builder: Builder, log: BuildLog) -> Lock:
    """The lock of an order: the one that it brings, that the request has, or a new one.

    Raises
    ------
    EnvironmentBuildException
        No packages meet the request.
    FormatError
        The request's lock is damaged.
    """
    request = order.request
    for each in request.spec.news:
        log.step(each)
    for note in request.spec.notes:
        log.note(note)
    before = locks.read(order.data, request.key)
    given = order.lock or (None if order.upgrade else before)
    if given is not None:
        log.step(f"locked before: {counted(len(given.packages), 'package')}")
        return given
    lock = builder.lock(request.spec, log)
    generation = 0 if before is None else before.generation + (before.key != lock.key)
    lock = dataclasses.replace(lock, generation=generation, made=time.time())
    return locks.write(order.data, locks.Stored(request.key, request.spec, lock), replace=order.upgrade)


def builder_of(order: Order, environ: Mapping[str, str], cache: str) -> Builder:
    """Choose who builds."""
    spec, interpreter = order.request.spec, order.request.interpreter
    if spec.kind == CONTAINER:
        from amlnb.environments.container_builder import ContainerBuilder

        return ContainerBuilder(environ, order.credentials)
    if spec.kind == CONDA:
        from amlnb.environments import conda_channels
        from amlnb.environments.conda_builder import CondaBuilder

        return CondaBuilder(
            interpreter, environ, order.folder, order.credentials, cache, conda_channels.of(spec), spec.pip_options
        )
    return UvBuilder(interpreter, environ, order.folder, spec)


def _build(builder: Builder, lock: Lock, prefix: str, name: str | None, log: BuildLog) -> None:
    prefixes.clear(prefix)
    try:
        builder.build(lock, prefix, log)
        prefixes.finish(prefix, lock, name)
    except BaseException as error:
        shutil.rmtree(prefix, ignore_errors=True)
        if isinstance(error, OSError):
            raise EnvironmentBuildException(
                f"the environment cannot be written to {prefix!r}: {error}",
                hint="free some space there, or name another folder with AMLNB_CACHE_DIR",
            ) from error
        raise
