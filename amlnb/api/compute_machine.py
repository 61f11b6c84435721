"""What this machine is, and what the machines are that v1 code names by their size."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass

_GPU_SIZE = re.compile(r"STANDARD_N[CDGPV]", re.IGNORECASE)
# Name, vCPUs, GPUs, GB of memory, MB of local disk: as Azure documents its sizes.
_SIZES = """
    Standard_D1 1 0 3.5 51200
    Standard_D1_v2 1 0 3.5 51200
    Standard_D2_v2 2 0 7 102400
    Standard_D3_v2 4 0 14 204800
    Standard_D4_v2 8 0 28 409600
    Standard_D11_v2 2 0 14 102400
    Standard_D12_v2 4 0 28 204800
    Standard_D13_v2 8 0 56 409600
    Standard_D14_v2 16 0 112 819200
    Standard_DS1_v2 1 0 3.5 7168
    Standard_DS2_v2 2 0 7 14336
    Standard_DS3_v2 4 0 14 28672
    Standard_DS4_v2 8 0 28 57344
    Standard_DS5_v2 16 0 56 114688
    Standard_DS11_v2 2 0 14 28672
    Standard_DS12_v2 4 0 28 57344
    Standard_D2s_v3 2 0 8 16384
    Standard_D4s_v3 4 0 16 32768
    Standard_D8s_v3 8 0 32 65536
    Standard_E4s_v3 4 0 32 65536
    Standard_F2s_v2 2 0 4 16384
    Standard_F4s_v2 4 0 8 32768
    Standard_NC6 6 1 56 389120
    Standard_NC12 12 2 112 696320
    Standard_NC24 24 4 224 1474560
    Standard_NC24r 24 4 224 1474560
    Standard_NC6s_v2 6 1 112 344064
    Standard_NC12s_v2 12 2 224 688128
    Standard_NC6s_v3 6 1 112 344064
    Standard_NC12s_v3 12 2 224 688128
    Standard_NC24s_v3 24 4 448 1376256
    Standard_NC24rs_v3 24 4 448 1376256
    Standard_NC4as_T4_v3 4 1 28 180224
    Standard_NC24ads_A100_v4 24 1 220 65536
    Standard_ND6s 6 1 112 344064
    Standard_ND24s 24 4 448 1376256
    Standard_ND40rs_v2 40 8 672 2969600
    Standard_ND96asr_v4 96 8 900 6143000
    Standard_NV6 6 1 56 389120
    Standard_NV12 12 2 112 696320
    Standard_NV24 24 4 224 1474560
"""


@dataclass(frozen=True)
class Machine:
    """A machine: cores, memory in bytes, GPUs."""

    cores: int
    memory_bytes: int
    gpus: int

    def __str__(self) -> str:
        gpus = f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}" if self.gpus else "no GPU"
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        return f"{cores}, {self.memory_bytes / 1e9:.0f} GB, {gpus}"


def this_machine() -> Machine:
    """The machine that this process is on."""
    import psutil  # costs every command of ours some milliseconds

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, psutil.virtual_memory().total, len(glob.glob("/dev/nvidia[0-9]*")))


def sizes() -> list[dict[str, object]]:
    """Sizes of Azure's machines, as v1 listed them."""
    found: list[dict[str, object]] = []
    for line in _SIZES.strip().splitlines():
        name, cpus, gpus, memory, disk = line.split()
        found.append(
            {
                "name": name,
                "vCPUs": int(cpus),
                "gpus": int(gpus),
                "memoryGB": float(memory),
                "maxResourceVolumeMB": int(disk),
            }
        )
    return found


def has_gpu(size: str) -> bool:
    """Tell whether the machines of a size have GPUs."""
    return bool(_GPU_SIZE.match(size))


def missing_gpu(asked: str) -> str | None:
    """What there is to tell where GPUs are asked for and this machine has none; None where it has."""
    if this_machine().gpus:
        return None
    return f"{asked}, and this machine has no GPU: its runs use the CPU; 'amlnb target add' adds one that has"
