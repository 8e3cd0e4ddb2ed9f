"""Golden cases: a JSON description and a safetensors file of what a peer computed.

Nothing is read from file or folder names: the peer and the settings come from the JSON.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tests.parity.compare import Tolerance

State = dict[str, Tensor]

# How the peers name themselves in the JSON's `peer` or `version.package` field.
PEER_SPELLINGS = {
    "biggan-pytorch": "biggan_pytorch",
    "studiogan": "studiogan",
    "omni-gan-pytorch": "omnigan",
    "omni-gan-dgp": "omni_inr",
    "omni-inr": "omni_inr",
    "omni_inr": "omni_inr",
    "ic_gan": "ic_gan",
    "mmagic": "mmagic",
    "pretrained-biggan": "hfbiggan",
    "pretrained_biggan": "hfbiggan",
    "deep-generative-prior": "dgp",
    "spade": "spade",
}


class CorruptCase(ValueError):
    """A golden case that cannot be read; the message names the file."""


@dataclass
class GoldenCase:
    """One golden case.

    Attributes:
        path: the safetensors file.
        spec: the JSON description.
    """

    path: Path
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """What the table calls the case: the peer and the file, for people only."""
        return str(self.spec.get("case") or self.path.stem)

    @cached_property
    def peer(self) -> str:
        """Canonical name of the peer, or the JSON's own spelling if it is not known to us."""
        version = self.spec.get("version")
        package = version.get("package", "") if isinstance(version, Mapping) else ""
        text = str(self.spec.get("peer") or package)
        found = [peer for spelling, peer in PEER_SPELLINGS.items() if spelling in text.lower()]
        return found[0] if found else text or "unknown"

    @cached_property
    def tensors(self) -> State:
        """Every tensor; 16-bit floats are widened to float32, which is exact.

        Raises:
            CorruptCase: the file is missing or not readable as safetensors.
        """
        try:
            loaded = load_file(self.path)
        except (SafetensorError, OSError, ValueError) as error:
            raise CorruptCase(f"{self.path.name}: cannot be read as safetensors: {error}") from error
        half = (torch.float16, torch.bfloat16)
        return {k: v.float() if v.dtype in half else v for k, v in loaded.items()}

    def group(self, prefix: str) -> State:
        """Return the tensors under ``prefix``, which is cut off their names."""
        return {k[len(prefix) :]: v for k, v in self.tensors.items() if k.startswith(prefix)}

    def state(self, prefix: str = "state/") -> State:
        """Return the state dict: what the JSON's formula rebuilds, and what is stored."""
        formula = self.spec.get("state_formula")
        return (state_from_formula(formula) if formula else {}) | self.group(prefix)

    @property
    def tolerance(self) -> Tolerance:
        """The tolerance that the JSON asks for; the golden set's default where it is silent."""
        seen = self.spec.get("tolerances_seen")
        seen = seen if isinstance(seen, Mapping) else {}
        found = dict(
            re.findall(r"(rtol|atol)\s*([0-9.]+e-?\d+)", str(self.spec.get("suggested_tolerance", "")))
        )
        rtol = seen.get("suggested_rtol", found.get("rtol"))
        atol = seen.get("suggested_atol", found.get("atol"))
        if rtol is not None and atol is None:
            atol = min(float(rtol), Tolerance().atol)
        return Tolerance(float(rtol or Tolerance().rtol), float(atol or Tolerance().atol))


def state_from_formula(formula: Mapping[str, Any]) -> State:
    """Rebuild a state dict that is not stored: each entry is drawn from the CRC of its key.

    Args:
        formula: ``keys`` maps each key to its shape; ``text`` holds the rules, of which the
            counter's value and the keys with another scale are read.
    """
    text = "\n".join(formula.get("text", []))
    counter = int((re.findall(r"num_batches_tracked: (\d+)", text) or ["7"])[0])
    scales = re.findall(r"for (?:the|a) key (containing )?(\S+) times ([0-9.]+)", text)
    return {
        key: _entry_from_formula(key, tuple(shape), counter, _scale(key, scales))
        for key, shape in formula["keys"].items()
    }


def _scale(key: str, scales: Sequence[tuple[str, str, str]]) -> float:
    """Return the factor of a key; of ``scales``, a part or the whole of the key with its factor."""
    found = (float(factor) for part, name, factor in scales if (name in key if part else name == key))
    return next(found, 1.0)


def _entry_from_formula(key: str, shape: tuple[int, ...], counter: int, scale: float) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.tensor(counter)
    random = np.random.RandomState(zlib.crc32(key.encode()))
    size = int(np.prod(shape))
    if key.endswith("running_var"):
        value = 0.5 + random.random_sample(size)
    elif key.endswith("running_mean"):
        value = 0.1 * random.standard_normal(size)
    elif len(shape) > 1:
        value = random.standard_normal(size) * np.sqrt(2) / np.sqrt(size / shape[0]) * scale
    elif key.endswith("bias"):
        value = 0.1 * random.standard_normal(size)
    else:
        value = 1 + 0.2 * random.standard_normal(size)
    return torch.from_numpy(value.reshape(shape)).float()


def find_cases(directory: str | Path) -> list[Path]:
    """Return the files of every case under ``directory``, without suffix, recursively and sorted.

    A case is a safetensors file, or a JSON that describes ``tensors``: either alone is a
    corrupt case. Other JSON files (tables of settings, parameter counts) are not cases.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise FileNotFoundError(f"no directory {directory}: expected a folder of golden cases")
    stems = {path.with_suffix("") for path in directory.rglob("*.safetensors")}
    lonely = [p for p in directory.rglob("*.json") if p.with_suffix("") not in stems]
    stems |= {path.with_suffix("") for path in lonely if _describes_a_case(path)}
    return sorted(stems)


def _describes_a_case(path: Path) -> bool:
    try:
        spec = json.loads(path.read_text())
    except (OSError, ValueError):
        return True  # unreadable: reported as a failing case rather than passed over
    return isinstance(spec, dict) and "case" in spec and "tensors" in spec


def load_case(stem: Path) -> GoldenCase:
    """Read the description and the tensors of a case.

    Raises:
        CorruptCase: one of the files is missing or cannot be read, or the JSON is no object.
    """
    description = stem.with_name(stem.name + ".json")
    data = stem.with_name(stem.name + ".safetensors")
    for path in (description, data):
        if not path.is_file():
            raise CorruptCase(f"{path.name} is missing")
    try:
        spec = json.loads(description.read_text())
    except ValueError as error:
        raise CorruptCase(f"{description.name}: not valid JSON: {error}") from error
    if not isinstance(spec, dict):
        raise CorruptCase(f"{description.name}: expected a JSON object, found {type(spec).__name__}")
    case = GoldenCase(data, spec)
    if not case.tensors:
        raise CorruptCase(f"{data.name}: holds no tensors")
    return case
