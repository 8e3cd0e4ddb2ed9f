"""All sections together, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mmcgan.diagnosis.data import data_sets
from mmcgan.diagnosis.devices import devices
from mmcgan.diagnosis.finding import BROKEN, NOTE, OK, Finding
from mmcgan.diagnosis.installation import requirements, versions
from mmcgan.diagnosis.processor import allocator, processor, threads
from mmcgan.diagnosis.storage import cache, memory_and_disk, shipped_weights

Section = Callable[[], Sequence[Finding]]
Diagnosis = Mapping[str, Sequence[Finding]]

SECTIONS: dict[str, Section] = {
    "versions": versions,
    "packages": requirements,
    "processor": processor,
    "threads": threads,
    "memory allocator": allocator,
    "CUDA": devices,
    "memory and disk": memory_and_disk,
    "data sets": data_sets,
    "shipped weights": shipped_weights,
    "cache": cache,
}
MARKS = {OK: " ", NOTE: "!", BROKEN: "X"}


def diagnose(sections: Mapping[str, Section] = SECTIONS) -> Diagnosis:
    """Return the findings by section; a section that fails is a broken finding of its own."""
    found: dict[str, Sequence[Finding]] = {}
    for name, look in sections.items():
        try:
            found[name] = look()
        except Exception as error:  # a broken installation fails anywhere, and the rest is still wanted
            message = f"{type(error).__name__}: {error}"
            found[name] = [Finding("could not be looked at", message, BROKEN)]
    return found


def is_broken(diagnosis: Diagnosis) -> bool:
    """Return whether something that is needed does not work."""
    return any(finding.status == BROKEN for findings in diagnosis.values() for finding in findings)


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis as JSON types: ``broken`` and, per section, the findings."""
    sections = {name: [asdict(finding) for finding in findings] for name, findings in diagnosis.items()}
    return {"broken": is_broken(diagnosis), "sections": sections}


def as_text(diagnosis: Diagnosis) -> str:
    """Return the diagnosis for people: ``!`` is worth knowing, ``X`` is broken."""
    lines: list[str] = []
    for name, findings in diagnosis.items():
        lines += ["", name]
        for finding in findings:
            lines.append(f" {MARKS[finding.status]} {finding.name:22} {_shown(finding.value)}")
            if finding.advice:
                lines.append(f"   {'':22} -> {finding.advice}")
    broken = [f"{n}: {f.name}" for n, found in diagnosis.items() for f in found if f.status == BROKEN]
    lines += ["", f"broken: {'; '.join(broken)}" if broken else "nothing that is needed is broken"]
    return "\n".join(lines[1:])


def _shown(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    parts = (
        f"{key} {part:.3g}" if isinstance(part, float) else f"{key} {part}" for key, part in value.items()
    )
    return ", ".join(parts)
