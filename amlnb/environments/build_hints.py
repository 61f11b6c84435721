"""What to do about a tool's error: decided from its words alone."""

from __future__ import annotations

import re
from collections.abc import Callable

_NOT_FOUND = re.compile(r"Because ([\w.-]+) was not found in the (?:package registry|provided package locations)")
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of ([\w.-]+?)==([\w.+!*]+?),? ")
_ONLY = re.compile(r"only ([\w.-]+?)[<>=!][^ ]* (?:is|are) available and .*?you require \1==([\w.+!*]+?),? ")
_OTHERS_ONLY = re.compile(r"only (([\w.-]+?)[<>=!].*?) (?:is|are) available and .*?you require (\2[<>=!~][^ ]*?),? ")
_OTHER_PYTHON = re.compile(r"([\w.-]+?)==([\w.+!]+) requires Python (\S+)")
_NO_FOLDER = re.compile(r"Failed to read `--find-links` directory: (\S+)")
_NO_FILE = re.compile(r"\(404[^)]*\) for url \(([^)\s]+)\)")
_NO_WHEEL = re.compile(r"([\w.-]+?)==([\w.+!]+) has no wheels with a matching")
_BAD_SOURCE = re.compile(r"Failed to build `([^`]+)`")
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_MISSING_HEADER = re.compile(r"fatal error: ([\w./+-]+\.h(?:pp)?): No such file")

# What a header belongs to, on Debian and on Fedora.
_HEADERS = {
    "Python.h": "python3-dev (python3-devel)",
    "ffi.h": "libffi-dev (libffi-devel)",
    "jpeglib.h": "libjpeg-dev (libjpeg-turbo-devel)",
    "zlib.h": "zlib1g-dev (zlib-devel)",
    "mpi.h": "libopenmpi-dev (openmpi-devel)",
    "libpq-fe.h": "libpq-dev (libpq-devel)",
    "mysql.h": "default-libmysqlclient-dev (mysql-devel)",
    "openssl/ssl.h": "libssl-dev (openssl-devel)",
    "hdf5.h": "libhdf5-dev (hdf5-devel)",
    "portaudio.h": "portaudio19-dev (portaudio-devel)",
    "sndfile.h": "libsndfile1-dev (libsndfile-devel)",
    "gdal.h": "libgdal-dev (gdal-devel)",
    "graphviz/cgraph.h": "libgraphviz-dev (graphviz-devel)",
}
_COMPILER = re.compile(
    r"(?:command|unable to execute|No such file or directory:) "
    r"'?((?:[\w-]+-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|gfortran|rustc|cargo|nvcc))'?"
    r"|(?:can't find|no such file|not found).{0,20}(Rust|cargo) (?:compiler|toolchain)",
    re.IGNORECASE,
)
_COMPILERS = {
    "gfortran": "gfortran",
    "rust": "rustc cargo",
    "rustc": "rustc cargo",
    "cargo": "rustc cargo",
    "nvcc": "the CUDA toolkit",
}
_UNREACHABLE = ("dns error", "tcp connect error", "Connection refused", "timed out", "Network is unreachable")
_GIT_UNREACHABLE = re.compile(r"Could not resolve host|Failed to connect|Connection (?:refused|timed out)")
_GIT_REFUSED = re.compile(
    r"could not read Username|Authentication failed for|returned error: 40[13]|Permission denied \(publickey"
)
_REFUSED = re.compile(r"\b(401 Unauthorized|403 Forbidden|407 Proxy)")


def hint_of(told: str, neighbours: Callable[[str, str], list[str]] = lambda *_: []) -> str | None:
    """Say what to do about an error of uv.

    Parameters
    ----------
    told
        What uv said.
    neighbours
        Called with a package and a version that does not exist; returns the nearest that do.
    """
    words = " ".join(told.split())
    for find in (_of_machine, _of_build):
        hint = find(words)
        if hint is not None:
            return hint
    found = _NO_VERSION.search(words) or _ONLY.search(words)
    if found:
        version = found[2].removesuffix(".*")
        near = neighbours(found[1], version)
        return f"the nearest of {found[1]} are {' and '.join(near)}" if near else f"there is no {found[1]} at all"
    return _of_requirements(words)


def is_of_a_name(words: str) -> bool:
    """Tell whether an error of uv, in one line, is that there is no package of a name."""
    return _NOT_FOUND.search(words) is not None


def is_of_a_version(words: str) -> bool:
    """Tell whether an error of uv, in one line, is that there never was a version."""
    return (_NO_VERSION.search(words) or _ONLY.search(words) or _OTHERS_ONLY.search(words)) is not None


def _of_requirements(words: str) -> str | None:
    found = _OTHERS_ONLY.search(words)
    if found:
        return f"{found[3]} was asked for, and there is only {found[1]}"
    found = _OTHER_PYTHON.search(words)
    if found:
        return f"{found[1]} {found[2]} needs Python {found[3]}: take another version, or another python="
    found = _NOT_FOUND.search(words)
    if found:
        return _of_unknown(found[1])
    found = _NO_WHEEL.search(words)
    if found:
        return (
            f"{found[1]} {found[2]} was not made for this Python or machine: take another version, or another python="
        )
    if "unsatisfiable" in words or "incompatible" in words:
        return "these do not go together: leave one of the versions open"
    return None


def _of_machine(words: str) -> str | None:
    if "No space left on device" in words:
        return "the disk is full: free some space ('amlnb env gc' and 'uv cache prune' remove what is not used)"
    if "Git operation failed" in words and _GIT_REFUSED.search(words):
        return (
            "the git server wants a user and password, or a key: put them into the address "
            "(git+https://USER:${TOKEN}@HOST/...), or into git's own credential helper"
        )
    if "Git operation failed" in words and _GIT_UNREACHABLE.search(words):
        return "the git server cannot be reached from here: is its address right, is there a network, a proxy?"
    if _REFUSED.search(words):
        return (
            "the package index wants a user and password: put them into its address in the configuration of pip or uv, "
            "or into netrc"
        )
    if any(each in words for each in _UNREACHABLE) and ("Failed to fetch" in words or "error sending request" in words):
        return (
            "the package index cannot be reached from here: is there a network, a proxy (HTTPS_PROXY), another index "
            "(pip's index-url)?"
        )
    if "network was disabled" in words:
        return "UV_OFFLINE is set, and not all packages are in uv's cache"
    if "invalid peer certificate" in words or "UnknownIssuer" in words:
        return "its certificate is signed by somebody unknown here: name the file with pip's cert or SSL_CERT_FILE"
    if "InvalidContentType" in words:
        return "what answers there does not speak https: is its address http://...?"
    if "Hash mismatch" in words:
        return (
            "the index offers another file than the one that was locked, or whose --hash was given; "
            "'amlnb env lock --upgrade' locks anew"
        )
    found = _NO_FOLDER.search(words)
    if found:
        return f"there is no folder {found[1]}: mend find-links (UV_FIND_LINKS, or pip's configuration)"
    found = _NO_FILE.search(words)
    return f"there is no file {found[1]}: is its address right?" if found else None


def _of_build(words: str) -> str | None:
    source = _BAD_SOURCE.search(words)
    if source is None:
        return None
    header = _MISSING_HEADER.search(words)
    if header:
        package = _HEADERS.get(header[1])
        return f"building {source[1]} needs the header {header[1]}" + (f": install {package}" if package else "")
    compiler = _COMPILER.search(words)
    if compiler:
        name = (compiler[1] or compiler[2]).lower()
        package = next(
            (each for key, each in _COMPILERS.items() if name.endswith(key)), "build-essential (gcc gcc-c++)"
        )
        return f"building {source[1]} needs a compiler, {name}: install {package}, or take a version that has a wheel"
    module = _MISSING_MODULE.search(words)
    if module:
        return (
            f"{source[1]} cannot be built without {module[1]}, which it does not name; take a version that has a wheel"
        )
    return f"{source[1]} has no wheel for this Python, and its source does not build here: take another version"


def _of_unknown(name: str) -> str:
    from amlnb.core.distributions import DISTRIBUTIONS

    known = {module.lower().replace("_", "-"): distribution for module, distribution in DISTRIBUTIONS.items()}
    if name.lower() in known:
        return f"{name} is the name to import; what is installed is called {known[name.lower()]}"
    return f"is {name} spelled right? A package of your own needs its index (--extra-index-url, or pip's configuration)"
