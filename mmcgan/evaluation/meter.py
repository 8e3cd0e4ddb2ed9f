"""What a part of an evaluation costs: seconds, and memory on top of what was held before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAK, NOW = "VmHWM", "VmRSS"


@dataclass
class Cost:
    """Sums over the uses of one part.

    Attributes:
        seconds: wall time.
        megabytes: largest extra memory of this process, 0 where the system does not tell (not Linux).
    """

    seconds: float = 0.0
    megabytes: float = 0.0

    @contextmanager
    def time(self) -> Iterator[None]:
        """Add the wall time of the context."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Add the wall time of the context and note its memory."""
        before = _held(NOW) if _reset_peak() else None
        with self.time():
            yield
        if before is not None:
            self.megabytes = max(self.megabytes, (_held(PEAK) - before) / 1024)

    def describe(self) -> dict[str, float]:
        """Return both as JSON types."""
        return {"seconds": round(self.seconds, 3), "peak_extra_megabytes": round(self.megabytes, 1)}


def _reset_peak() -> bool:
    """Start a new high-water mark; False where that is not possible."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _held(field: str) -> int:
    """Return a field of the process's status in kB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])
