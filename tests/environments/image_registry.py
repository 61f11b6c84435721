"""A tiny image registry on loopback: one image, given only to who has the password."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@contextlib.contextmanager
def serving(saved, user, password):
    """Serve an image as ``/team/image:2``; yields ``host:port``.

    Parameters
    ----------
    saved
        What ``docker save`` wrote, of one image.
    """
    manifest, blobs = _taken_apart(saved)
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            found = self._found()
            self.send_response(found[0])
            for name, value in {**found[1], "Content-Length": len(found[2])}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(found[2])

        def do_HEAD(self):
            self.do_GET()

        def _found(self):
            if self.headers.get("Authorization") != wanted:
                return 401, {"WWW-Authenticate": 'Basic realm="images"'}, b'{"errors":[{"code":"UNAUTHORIZED"}]}'
            last = self.path.rpartition("/")[2]
            if last in blobs:
                return 200, {"Content-Type": "application/octet-stream", "Docker-Content-Digest": last}, blobs[last]
            if "/manifests/" in self.path:
                return 200, {"Content-Type": MANIFEST, "Docker-Content-Digest": _digest(manifest)}, manifest
            return 200 if self.path == "/v2/" else 404, {}, b"{}"

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _taken_apart(saved):
    """The manifest of a saved image, and its parts by their digests."""
    blobs, layers = {}, []
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def kept(name, kind):
            content = archive.extractfile(name).read()
            blobs[_digest(content)] = content
            return {"mediaType": kind, "size": len(content), "digest": _digest(content)}

        told = json.load(archive.extractfile("manifest.json"))[0]
        config = kept(told["Config"], "application/vnd.docker.container.image.v1+json")
        layers = [kept(name, "application/vnd.docker.image.rootfs.diff.tar.gzip") for name in told["Layers"]]
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode(), blobs


def _digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()
