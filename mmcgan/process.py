"""What a process of ours does once, at its start: settings of freed memory and idle threads, imports in turn.

Nothing here imports torch: OpenMP reads its environment when torch loads it, so that threads have to be
thought of before. The ``mmcgan`` command does so; a program that imports mmcgan as a library can call
:func:`tune_process` before ``import torch``.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import MutableMapping

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]

#: set to 0 to leave memory, or threads, as glibc and OpenMP have them
MEMORY_VARIABLE = "MMCGAN_KEEP_MEMORY"
THREADS_VARIABLE = "MMCGAN_IDLE_THREADS"

#: torchrun, SLURM and mim give it to every rank
RANK_VARIABLE = "LOCAL_RANK"
WRITES_AT_IMPORT = "yapf.yapflib.yapf_api"

# parameters of glibc's mallopt (malloc.h)
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TRIM_THRESHOLD = 1 << 30
TOP_PAD = 64 << 20
# a user who says one of these to glibc or OpenMP has decided
MALLOC_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_")
IDLE_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
#: how long an idle thread looks for work before it sleeps: rounds for GNU's OpenMP, ms for LLVM's and Intel's
QUIET = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
BUSY = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}
BUSY_SHARE = 0.5  # of the machine's processors that others have used in the last minute


def tune_process() -> None:
    """Keep freed memory and let idle threads sleep soon, unless the user has said otherwise.

    One of several ranks waits for its turn to import what ranks must not import at once.
    """
    keep_freed_memory()
    let_threads_sleep()
    if RANK_VARIABLE in os.environ:
        import_in_turn(WRITES_AT_IMPORT)


def import_in_turn(module: str) -> None:
    """Import a module while no other process on this machine does so here.

    yapf, which mmengine's configs import, writes its grammar to a file of the user's at its first import
    after an installation: of ranks that do so at once, one reads half a file and dies with ``EOFError``.

    Args:
        module: its dotted name, in a package with a file of its own, which is what is locked.
    """
    package = importlib.util.find_spec(module.partition(".")[0])
    if package is None or package.origin is None:
        return
    with open(package.origin, "rb") as turn:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks: as it would be without turns
                fcntl.flock(turn, fcntl.LOCK_EX)
        importlib.import_module(module)


def keep_freed_memory() -> bool:
    """Tell glibc to keep the memory it is given back, and return whether it does.

    A network frees and takes the same large tensors in every pass. glibc gets each from the kernel
    (``mmap``) and gives it back, and the kernel fills every page with zeros again: more time than the
    convolution in between. Kept memory is used again as it is.
    """
    library = _glibc()
    if library is None or not _wanted(MEMORY_VARIABLE) or user_set_malloc():
        return False
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: TRIM_THRESHOLD, M_TOP_PAD: TOP_PAD}
    accepted = [library.mallopt(key, value) == 1 for key, value in settings.items()]
    return all(accepted)


def release_freed_memory() -> None:
    """Give freed memory back to the system once, before something measures how much there is."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def user_set_malloc() -> bool:
    """Return whether the environment tells glibc's malloc what to do."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return "glibc.malloc" in tunables or any(name in os.environ for name in MALLOC_VARIABLES)


def let_threads_sleep(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Let OpenMP's idle threads sleep after a short look for work; return whether it was set.

    By default they spin for milliseconds at every barrier. On a machine that is busy with other work they
    then hold the core which the thread they wait for needs. How long they look depends on the load of the
    last minute: a short look costs up to a fifth on a quiet machine, a long one several times the time on a
    busy one. Has an effect only before torch is imported.
    """
    decided = any(name in environment for name in IDLE_VARIABLES)
    if decided or not _wanted(THREADS_VARIABLE) or "torch" in sys.modules:
        return False
    environment.update(BUSY if machine_is_busy() else QUIET)
    return True


def machine_is_busy() -> bool:
    """Return whether other work has used much of the machine in the last minute."""
    try:
        return os.getloadavg()[0] > BUSY_SHARE * (os.cpu_count() or 1)
    except (AttributeError, OSError):  # the system does not say
        return False


def _wanted(variable: str) -> bool:
    return os.environ.get(variable, "1").strip().lower() not in ("0", "no", "off", "false")


def _glibc() -> ctypes.CDLL | None:
    """Return this process's C library, or None where it is not glibc."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - only glibc has it
    except (OSError, AttributeError, TypeError):
        return None
    return library
