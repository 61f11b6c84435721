"""What tests of environments share: a Docker daemon."""

import pytest

from .container_host import ContainerHost


@pytest.fixture(scope="session")
def container_host():
    """A real Docker daemon with an image; skips with the reason where there cannot be one."""
    host = ContainerHost()
    try:
        trouble = host.start()
        if trouble:
            pytest.skip(trouble)
        yield host
    finally:
        host.stop()
