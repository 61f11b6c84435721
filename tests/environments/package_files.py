"""Tiny packages made in a test's folder: wheels, sources (also ones that do not build), conda packages and channels."""

import asyncio
import base64
import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import textwrap
import threading
import zipfile

from rattler.index import index_fs

WHEEL_TAG = "py3-none-any"

# A build back end that lies in the source itself: it needs no other package, so building needs no registry.
BACKEND = """
import base64, os

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open("made.whl.base64") as file:
        wheel = base64.b64decode(file.read())
    with open("made.whl.name") as file:
        name = file.read()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(wheel)
    return name
"""
BROKEN_BACKEND = """
def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise SystemExit("error: command 'gcc' failed: No such file or directory")
"""
# A source whose build fails with a compiler's words.
BROKEN_SETUP = """
import sys
sys.exit("error: command 'gcc' failed: No such file or directory")
"""


def make_wheel(folder, name, version, files=None, requires=(), python_requires=None, tag=WHEEL_TAG, entry_points=None):
    """Write a wheel; returns its path.

    Without ``files`` it holds one module of its name with ``__version__``. ``entry_points`` is ``{command: "module:function"}``.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{_in_file_names(name)}-{version}-{tag}.whl")
    with open(path, "wb") as file:
        file.write(_wheel(name, version, files, requires, python_requires, tag, entry_points))
    return path


def make_sdist(folder, name, version, setup_py=None, requires=(), files=None, backend=BACKEND):
    """Write a source distribution; returns its path.

    Without ``setup_py`` it builds by itself, with no other package, by the text ``backend``; `BROKEN_BACKEND` fails.
    With it, it is a source of the old kind, which setuptools builds; `BROKEN_SETUP` is one that fails.
    """
    os.makedirs(folder, exist_ok=True)
    root = f"{_in_file_names(name)}-{version}"
    content = {"PKG-INFO": _metadata(name, version, requires, None)}
    if setup_py is None:
        wheel = _wheel(name, version, files, requires, None, WHEEL_TAG, None)
        content["pyproject.toml"] = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        content["backend.py"] = backend
        content["made.whl.name"] = f"{root}-{WHEEL_TAG}.whl"
        content["made.whl.base64"] = base64.b64encode(wheel).decode()
    else:
        content["setup.py"] = setup_py
        content.update(files or {})
    path = os.path.join(folder, f"{root}.tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        for at, text in content.items():
            _add(archive, f"{root}/{at}", text)
    return path


def make_index(folder):
    """Make a folder of packages one that an index's address may name (PEP 503): returns the address's folder."""
    index = os.path.join(folder, "simple")
    for file in sorted(os.listdir(folder)):
        if not file.endswith((".whl", ".tar.gz")):
            continue
        name = re.sub(r"[-_.]+", "-", file.split("-")[0]).lower()
        os.makedirs(os.path.join(index, name), exist_ok=True)
        with open(os.path.join(folder, file), "rb") as opened:
            digest = hashlib.sha256(opened.read()).hexdigest()
        with open(os.path.join(index, name, "index.html"), "a", encoding="utf-8") as page:
            page.write(f'<a href="../../{file}#sha256={digest}">{file}</a><br>\n')
    return index


def make_conda_package(
    channel,
    name,
    version,
    files=None,
    depends=(),
    constrains=(),
    subdir="linux-64",
    noarch_python=False,
    entry_points=(),
    build="0",
    extension=".conda",
    links=None,
    prefix_files=(),
    placeholder="/opt/" + "placeholder_" * 12,
):
    """Write a conda package into a channel's folder (`index_channel` makes it one); returns the package's path.

    ``files`` are ``{path: text or bytes}``, ``links`` ``{path: target}``. In those of ``prefix_files`` the text
    ``{prefix}`` becomes the placeholder that an installation replaces. For ``noarch_python`` the paths begin with
    ``site-packages/`` or ``python-scripts/``, and ``entry_points`` are ``"command = module:function"``.
    """
    subdir = "noarch" if noarch_python else subdir
    folder = os.path.join(channel, subdir)
    os.makedirs(folder, exist_ok=True)
    content = {path: _bytes(data) for path, data in (files or {}).items()}
    for path in prefix_files:
        content[path] = content[path].replace(b"{prefix}", placeholder.encode())
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": int(re.sub(r"\D", "", build) or 0),
        "depends": list(depends),
        "constrains": list(constrains),
        "subdir": subdir,
        "timestamp": 1_600_000_000_000,
        **({"noarch": "python"} if noarch_python else {"arch": "x86_64", "platform": "linux"}),
    }
    info = {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps(
            {"paths": _paths(content, links or {}, prefix_files, placeholder), "paths_version": 1}
        ),
        "info/about.json": "{}",
        "info/files": "".join(f"{path}\n" for path in [*content, *(links or {})]),
    }
    if noarch_python:
        link = {"noarch": {"type": "python", "entry_points": list(entry_points)}, "package_metadata_version": 1}
        info["info/link.json"] = json.dumps(link)
    path = os.path.join(folder, f"{name}-{version}-{build}{extension}")
    if extension == ".tar.bz2":
        with tarfile.open(path, "w:bz2") as archive:
            _fill(archive, {**info, **content}, links or {})
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as whole:
        whole.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        for part, held, held_links in (("pkg", content, links or {}), ("info", info, {})):
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                _fill(archive, held, held_links)
            whole.writestr(f"{part}-{name}-{version}-{build}.tar.zst", _zstd(packed.getvalue()))
    return path


def make_conda_python(channel, interpreter=sys.executable, version=None, build="0"):
    """Write the conda package ``python``: a link to an interpreter of this machine that takes the prefix for its own."""
    program, real_version = _real_python(interpreter)
    version = version or real_version
    minor = ".".join(version.split(".")[:2])
    return make_conda_package(
        channel,
        "python",
        version,
        files={
            # By this file an interpreter knows that the folder above its link is where its packages are.
            "pyvenv.cfg": f"home = {os.path.dirname(program)}\nversion = {version}\ninclude-system-site-packages = false\n",
            f"lib/python{minor}/site-packages/README.txt": "packages\n",
        },
        links={"bin/python": program, "bin/python3": "python", f"bin/python{minor}": "python"},
        build=build,
    )


def make_noarch_package(channel, name, version, depends=("python",), **options):
    """Write a conda package of pure Python, as pip would see it too: its module, its metadata and a command of its name."""
    module = name.replace("-", "_")
    metadata = f"site-packages/{module}-{version}.dist-info"
    return make_conda_package(
        channel,
        name,
        version,
        files={
            f"site-packages/{module}.py": f"__version__ = {version!r}\ndef main():\n    print({name!r}, __version__)\n",
            f"{metadata}/METADATA": _metadata(name, version, (), None),
            f"{metadata}/INSTALLER": "conda",
            f"{metadata}/RECORD": f"{module}.py,,\n{module}-{version}.dist-info/METADATA,,\n",
        },
        depends=depends,
        noarch_python=True,
        entry_points=[f"{name} = {module}:main"],
        **options,
    )


def index_channel(channel):
    """Write the lists (repodata) of a channel's packages; returns its address."""
    os.makedirs(os.path.join(channel, "noarch"), exist_ok=True)
    asyncio.run(index_fs(channel, force=True))
    return f"file://{channel}"


@contextlib.contextmanager
def served(folder, user=None, password=None):
    """Serve a folder on loopback; yields ``(host:port, paths that were asked for)``. With a user only to who gives the password."""
    asked = []
    wanted = user and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self._is_let_in():
                super().do_GET()

        def do_HEAD(self):
            if self._is_let_in():
                super().do_HEAD()

        def _is_let_in(self):
            asked.append(self.path)
            if not wanted or self.headers.get("Authorization") == wanted:
                return True
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _wheel(name, version, files, requires, python_requires, tag, entry_points):
    module = _in_file_names(name)
    content = dict(files if files is not None else {f"{module}.py": f"__version__ = {version!r}\n"})
    info = f"{module}-{version}.dist-info"
    content[f"{info}/METADATA"] = _metadata(name, version, requires, python_requires)
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if entry_points:
        lines = "".join(f"{command} = {target}\n" for command, target in entry_points.items())
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    record = "".join(f"{path},sha256={_digest(_bytes(data))},{len(_bytes(data))}\n" for path, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            # Without a time of its own: the same package has the same hash whenever it is made.
            archive.writestr(zipfile.ZipInfo(path), _bytes(data))
    return packed.getvalue()


def _metadata(name, version, requires, python_requires):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {python_requires}"] if python_requires else []
    return "\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]) + "\n"


def _in_file_names(name):
    return re.sub(r"[-_.]+", "_", name)


def _bytes(data):
    return data if isinstance(data, bytes) else textwrap.dedent(data).encode()


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _paths(content, links, prefix_files, placeholder):
    found = []
    for path, data in content.items():
        told = {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        if path in prefix_files:
            told.update(file_mode="text" if b"\0" not in data else "binary", prefix_placeholder=placeholder)
        found.append(told)
    # As conda-build writes them: the hash of nothing, since where a link leads is not part of the package.
    nothing = hashlib.sha256(b"").hexdigest()
    found += [{"_path": path, "path_type": "softlink", "sha256": nothing, "size_in_bytes": 0} for path in links]
    return found


def _add(archive, path, data):
    info = tarfile.TarInfo(path)
    info.size = len(_bytes(data))
    info.mode = 0o755 if path.startswith("bin/") else 0o644
    info.mtime = 1_600_000_000
    archive.addfile(info, io.BytesIO(_bytes(data)))


def _fill(archive, content, links):
    for path, data in content.items():
        _add(archive, path, data)
    for path, target in links.items():
        info = tarfile.TarInfo(path)
        info.type, info.linkname = tarfile.SYMTYPE, target
        archive.addfile(info)


def _zstd(data):
    """Data as a Zstandard frame (RFC 8878) of blocks that are not compressed."""
    step = 1 << 17
    blocks = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
    frame = b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little")
    for number, block in enumerate(blocks, 1):
        frame += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return frame


def _real_python(interpreter):
    code = "import os, sys; print(os.path.realpath(sys.executable)); print('.'.join(map(str, sys.version_info[:3])))"
    told = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    return told[0], told[1]
