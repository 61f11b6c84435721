"""CPU, memory and GPU use of a run, sampled from the kernel's own counters at next to no cost."""

from __future__ import annotations

import ctypes
import os
import time

from amlnb.core import layout
from amlnb.runner import process_tree
from amlnb.tracking.journal import JournalWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional

INTERVAL_S = 5.0
_FIRST_S = 1.0


class SystemMetrics:
    """Samples of one run, written to its ``system`` journal.

    Metrics: ``cpu_percent`` (100 is one core), ``memory_bytes`` (resident, summed over the processes), ``processes``,
    ``host_memory_percent``; per GPU ``gpu<i>_percent`` and ``gpu<i>_memory_bytes``. A growing journal also is the
    runner's heartbeat.
    """

    def __init__(self, run_directory: str, processes: Callable[[], List[int]]) -> None:
        self._journal = JournalWriter(run_directory, "runner", layout.SYSTEM)
        self._processes = processes
        self._cpu_s = 0.0
        self._at = time.monotonic()
        self.next_at = self._at + _FIRST_S
        self._gpus: Optional[_Gpus] = None
        self._looked_for_gpus = False

    def sample(self) -> None:
        """Take one sample and set when the next one is due."""
        now = time.monotonic()
        cpu_s, memory_bytes, processes = process_tree.usage(self._processes())
        elapsed = max(now - self._at, 1e-9)
        log = self._journal.log_float
        log("cpu_percent", max(0.0, 100.0 * (cpu_s - self._cpu_s) / elapsed))
        log("memory_bytes", float(memory_bytes))
        log("processes", float(processes))
        used = _host_memory_percent()
        if used is not None:
            log("host_memory_percent", used)
        if not self._looked_for_gpus:
            self._looked_for_gpus = True
            self._gpus = _Gpus.find()
        if self._gpus is not None:
            self._gpus.sample(log)
        self._cpu_s, self._at = cpu_s, now
        self.next_at = now + INTERVAL_S

    def close(self) -> None:
        """Flush and close the journal."""
        self._journal.close()


def _host_memory_percent() -> Optional[float]:
    try:
        with open("/proc/meminfo") as file:
            fields = dict(line.split(":", 1) for line in file)
        total, available = (int(fields[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    return 100.0 * (total - available) / total


class _Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class _Gpus:
    """NVIDIA's management library, called directly: a sample costs microseconds, nvidia-smi half a second."""

    def __init__(self, library: Any, handles: List[ctypes.c_void_p]) -> None:
        self._library = library
        self._handles = handles

    @classmethod
    def find(cls) -> Optional[_Gpus]:
        """Return the GPUs of this host; None if there are none."""
        if not os.path.exists("/dev/nvidiactl"):
            return None
        try:
            library = ctypes.CDLL("libnvidia-ml.so.1")
            count = ctypes.c_uint()
            if library.nvmlInit_v2() or library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
                return None
            handles = []
            for number in range(count.value):
                handle = ctypes.c_void_p()
                if not library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)):
                    handles.append(handle)
        except (OSError, AttributeError):
            return None
        return cls(library, handles)

    def sample(self, log: Any) -> None:
        for number, handle in enumerate(self._handles):
            utilization, memory = _Utilization(), _Memory()
            if not self._library.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(utilization)):
                log(f"gpu{number}_percent", float(utilization.gpu))
            if not self._library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
                log(f"gpu{number}_memory_bytes", float(memory.used))
