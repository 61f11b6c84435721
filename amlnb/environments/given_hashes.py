"""Hashes that a person gave for packages, ``--hash=sha256:...``: what an index offers must be of them, as with pip."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from amlnb.environments.lock import LockedPackage
from amlnb.environments.requirement_names import name_of
from amlnb.errors import EnvironmentBuildException

REQUIRE = "--require-hashes"
_HASH = re.compile(r"\s--hash[=\s]\s*(\S+)")
_IN_ADDRESS = re.compile(r"#(?:.*&)?(sha\d+|md5)=([0-9A-Fa-f]+)")


def given(lines: Iterable[str]) -> dict[str, set[str]]:
    """``{name: hashes}`` of requirements; of one without a name, by its address.

    Parameters
    ----------
    lines
        Requirements and constraints.
    """
    found: dict[str, set[str]] = {}
    for line in lines:
        hashes = {each.lower() for each in _HASH.findall(line)}
        if hashes:
            found.setdefault(name_of(line) or line.split()[0], set()).update(hashes)
    return found


def checked(
    packages: Sequence[LockedPackage],
    asked: Mapping[str, Collection[str]],
    lines: Sequence[str],
    there: Collection[str] = (),
) -> tuple[LockedPackage, ...]:
    """The packages, with those of their hashes alone that were asked for.

    Parameters
    ----------
    packages
        As they were resolved.
    asked
        As `given` returned it.
    lines
        The requirements: the hash in an address counts too.
    there
        Names of packages that are not fetched, and need no hash.

    Raises
    ------
    EnvironmentBuildException
        A file is another one than was asked for, or a package has no hash.
    """
    in_addresses = {name_of(line) for line in lines if _IN_ADDRESS.search(line)}
    found, without = [], []
    for package in packages:
        hashes = asked.get(package.name) or asked.get(package.source or "")
        if hashes:
            found.append(_narrowed(package, hashes))
            continue
        found.append(package)
        if package.name not in in_addresses and package.name not in there:
            without.append(f"{package.name}=={package.version}")
    if without:
        raise EnvironmentBuildException(
            f"with a --hash for one package, or {REQUIRE}, every package must have one; these have none: "
            f"{', '.join(without)}",
            hint="'uv pip compile --generate-hashes' writes all of them, also of what the packages need",
        )
    return tuple(found)


def _narrowed(package: LockedPackage, asked: Collection[str]) -> LockedPackage:
    kinds = {each.partition(":")[0] for each in package.hashes}
    kept = sorted(asked) if not kinds & {each.partition(":")[0] for each in asked} else []
    if any(each.startswith("folder:") for each in package.hashes) or (not package.hashes and package.source):
        raise EnvironmentBuildException(
            f"{package.name} has a --hash, and comes from {package.source}, of which there is none",
            hint="only files have hashes: take it from an index or an archive, or leave the hashes out",
        )
    kept = kept or sorted(set(package.hashes) & set(asked))
    if not kept:
        raise EnvironmentBuildException(
            f"Hash mismatch for {package.name}=={package.version}: asked for is {' or '.join(sorted(asked))}; "
            f"on offer is {' or '.join(dict.fromkeys(package.hashes))}",
            hint="somebody may have changed the file: find out why, before you write the new hash in place of the old",
        )
    return replace(package, hashes=tuple(kept))
