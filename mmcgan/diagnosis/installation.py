"""What is installed: versions, requirements that are missing, extras and the line that installs them."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from mmcgan.diagnosis.finding import BROKEN, NOTE, OK, Finding
from mmcgan.version import __version__, version_of

#: decide numbers and speed, in the order of a bug report
PACKAGES = ("torch", "torchvision", "mmengine", "mmcv-lite", "mmcv", "numpy", "scipy", "timm", "scikit-learn")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+).*?(?:;(.*))?$", re.DOTALL)
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
#: for people who work on mmcgan itself
DEVELOPMENT = ("test", "dev")


def versions() -> list[Finding]:
    """Return the versions of Python, mmcgan and the packages that decide numbers."""
    import mmcgan

    found = [
        Finding("mmcgan", f"{__version__} in {Path(mmcgan.__file__).parent}"),
        Finding("python", f"{platform.python_version()} in {sys.prefix}"),
        Finding(
            "system", f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}".strip()
        ),
    ]
    installed = ((name, version_of(name)) for name in PACKAGES)
    return [*found, *(Finding(name, version) for name, version in installed if version)]


def requirements() -> list[Finding]:
    """Return what mmcgan needs and is not there, and which extras are complete."""
    try:
        listed = metadata.requires("mmcgan") or []
    except metadata.PackageNotFoundError:
        advice = "python3 -m pip install -e . in the checkout"
        return [Finding("packages", "mmcgan is not installed, only found on the path", NOTE, advice)]
    by_extra: dict[str, list[str]] = {}
    for name, extra in _named(listed):
        by_extra.setdefault(extra, []).append(name)
    needed = [name for name in by_extra.pop("", []) if not _is_there(name)]
    advice = f"python3 -m pip install {' '.join(needed)}"
    found = [Finding("needed", "missing: " + ", ".join(needed), BROKEN, advice) if needed else _all_there()]
    return [*found, *(_extra(extra, names) for extra, names in by_extra.items())]


def _all_there() -> Finding:
    return Finding("needed", "all there")


def _extra(extra: str, names: list[str]) -> Finding:
    missing = [name for name in names if not _is_there(name)]
    if not missing:
        return Finding(f"extra {extra}", "installed")
    status = OK if extra in DEVELOPMENT else NOTE
    advice = f'python3 -m pip install "mmcgan[{extra}]"'
    return Finding(f"extra {extra}", "missing: " + ", ".join(missing), status, advice)


def _named(requirements: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the distribution and the extra ('' for none) of each requirement."""
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        assert match is not None
        extra = _EXTRA.search(match[2] or "")
        yield match[1], extra[1] if extra else ""


def _is_there(name: str) -> bool:
    # mmcv and mmcv-lite provide the same package
    return version_of(name) is not None or (name == "mmcv-lite" and version_of("mmcv") is not None)
