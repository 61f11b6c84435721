"""``ResourceConfiguration``: what a model needs to run, as it is registered with it."""

from __future__ import annotations

from amlnb.errors import UserErrorException


class ResourceConfiguration:
    """What a model needs.

    Parameters
    ----------
    cpu
        Cores.
    memory_in_gb
        Memory.
    gpu
        GPUs.

    Raises
    ------
    UserErrorException
        One of them is no number above 0.
    """

    def __init__(self, cpu: float | None = None, memory_in_gb: float | None = None, gpu: float | None = None) -> None:
        self.cpu = _checked("cpu", cpu)
        self.memory_in_gb = _checked("memory_in_gb", memory_in_gb)
        self.gpu = _checked("gpu", gpu)


def _checked(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise UserErrorException(
            f"{name} is a number above 0, not {value!r:.100}", hint="ResourceConfiguration(cpu=1, memory_in_gb=0.5)"
        )
    return value
