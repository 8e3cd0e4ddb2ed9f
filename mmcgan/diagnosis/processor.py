"""The processor, what of it torch uses, the precision chosen, threads and the allocator."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from pathlib import Path

from mmcgan.diagnosis.finding import NOTE, Finding
from mmcgan.process import (
    IDLE_VARIABLES,
    MALLOC_VARIABLES,
    MEMORY_VARIABLE,
    THREADS_VARIABLE,
    keep_freed_memory,
)

CPU_INFO = Path("/proc/cpuinfo")
MAPS = Path("/proc/self/maps")
#: limit what torch and oneDNN use of a processor
LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
ALLOCATORS = ("jemalloc", "tcmalloc", "mimalloc")
OPENMP = ("libgomp", "libiomp", "libomp")
UNITS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "asimd", "bf16")


def processor() -> list[Finding]:
    """Return its name and units, what torch takes of them, and what bfloat16 is worth."""
    import torch

    from mmcgan.precision import choose, has_bfloat16_units

    limits = [f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ]
    name, units = _described()
    choice = choose("cpu")
    return [
        Finding("processor", f"{name}, {_cores()} of {os.cpu_count()} cores usable"),
        Finding("units", ", ".join(units) or "unknown"),
        Finding("torch uses", torch.backends.cpu.get_cpu_capability()),
        Finding("oneDNN bfloat16", "yes" if has_bfloat16_units() else "no"),
        Finding("limited by", ", ".join(limits) or "nothing", NOTE if limits else "ok"),
        Finding("precision auto", asdict(choice)),
    ]


def _described() -> tuple[str, list[str]]:
    try:
        lines = CPU_INFO.read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    entries = [line.split(":", 1) for line in lines if ":" in line]
    first = {key.strip(): value.strip() for key, value in reversed(entries)}
    flags = (first.get("flags") or first.get("Features") or "").split()
    return first.get("model name", platform.machine()), [unit for unit in UNITS if unit in flags]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> list[Finding]:
    """Return the number of threads, whose OpenMP runs them, what idle ones do, and the load."""
    import torch

    count, cores = torch.get_num_threads(), _cores()
    too_many = "set OMP_NUM_THREADS to the number of cores" if count > cores else ""
    libraries = _loaded(OPENMP)
    several = "several OpenMP libraries in one process wait for each other" if len(libraries) > 1 else ""
    settings = [
        f"{key}={os.environ[key]}" for key in (*IDLE_VARIABLES, "OMP_NUM_THREADS") if key in os.environ
    ]
    return [
        Finding("threads", f"{count} for {cores} cores", NOTE if too_many else "ok", too_many),
        Finding("OpenMP", ", ".join(libraries) or "unknown", NOTE if several else "ok", several),
        Finding("settings", ", ".join(settings) or f"none (or {THREADS_VARIABLE}=0)"),
        _load(cores),
    ]


def _load(cores: int) -> Finding:
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return Finding("load", "unknown")
    busy = load > cores
    advice = "other work shares the cores: fewer threads may be faster (OMP_NUM_THREADS)" if busy else ""
    return Finding("load", f"{load:.1f} over the last minute", NOTE if busy else "ok", advice)


def allocator() -> list[Finding]:
    """Return which allocator serves torch, and whether freed memory is kept."""
    others = _loaded(ALLOCATORS)
    if others:
        return [Finding("allocator", ", ".join(others))]
    if platform.libc_ver()[0] != "glibc":
        return [Finding("allocator", "the system's")]
    if keep_freed_memory():
        return [Finding("allocator", "glibc, freed memory is kept")]
    names = (MEMORY_VARIABLE, "GLIBC_TUNABLES", *MALLOC_VARIABLES)
    said = ", ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ)
    value = f"glibc, freed memory goes back to the system ({said or 'mallopt was refused'})"
    return [Finding("allocator", value, NOTE, "large networks may lose half of their time to page faults")]


def _loaded(names: tuple[str, ...]) -> list[str]:
    """Return the shared libraries of this process whose file names contain one of ``names``."""
    try:
        lines = MAPS.read_text().splitlines()
    except OSError:
        return []
    files = {Path(line.split()[-1]).name for line in lines if "/" in line}
    return sorted(file for file in files if any(name in file for name in names))
