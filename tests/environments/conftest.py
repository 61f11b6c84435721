"""What tests of environments share: container engines."""

import pytest

from .container_host import DockerHost, PodmanHost


@pytest.fixture(scope="session", params=[DockerHost, PodmanHost], ids=lambda kind: kind.client)
def container_host(request):
    """A real container engine with an image; skips with the reason where there cannot be one."""
    host = request.param()
    try:
        trouble = host.start()
        if trouble:
            pytest.skip(trouble)
        yield host
    finally:
        host.stop()
