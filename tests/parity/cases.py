"""Golden cases: a JSON description and a safetensors file of what a peer computed.

Nothing is read from file or folder names: the peer and the settings come from the JSON.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from mmcgan.peers.translation import with_values
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
    "r3gan": "r3gan",
    "projected-gan": "projected_gan",
}


class CorruptCase(ValueError):
    """A golden case that cannot be read; the message names the file."""


#: First parts of the names of what a peer computed, as against what it was given.
RECORDED = ("out", "after")
#: What is added to such a part where the same was computed in float64.
WIDE = "64"
#: The relative tolerance that the golden set names for a record that is float64 throughout.
ORDINARY_FLOAT64 = 1e-7


@dataclass(frozen=True)
class Reading:
    """How a case's numbers are taken.

    Attributes:
        exact: what was recorded in float64 too stands in the place of its float32 record.
        shake: relative change of every float that the peer was given, uniform up to this; whole numbers
            (labels, bytes, one-hot rows) stay.
        seed: of that change.
    """

    exact: bool = False
    shake: float = 0.0
    seed: int = 0

    def moved(self, name: str, value: Tensor) -> Tensor:
        """Return an input or a weight as it is read."""
        if not self.shake or not value.is_floating_point():
            return value
        source = np.random.RandomState(zlib.crc32(f"{self.seed} {name}".encode()))
        change = 1 + self.shake * torch.from_numpy(source.uniform(-1, 1, tuple(value.shape)))
        return torch.where(value == value.round(), value, (value.double() * change).to(value.dtype))


@dataclass
class GoldenCase:
    """One golden case.

    Attributes:
        path: the safetensors file.
        spec: the JSON description.
        reading: how its numbers are taken.
    """

    path: Path
    spec: dict[str, Any]
    reading: Reading = field(default_factory=Reading)

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
        """Every tensor, floats in torch's default format or wider (16 bits widen to float32 without loss).

        What was recorded in float64 beside float32 (``out64/x`` beside ``out/x``) is in the place of the
        latter if :attr:`reading` is exact, and left out otherwise.

        Raises:
            CorruptCase: the file is missing or not readable as safetensors.
        """
        try:
            loaded = load_file(self.path)
        except (SafetensorError, OSError, ValueError) as error:
            raise CorruptCase(f"{self.path.name}: cannot be read as safetensors: {error}") from error
        plain = {k: _as_default(v) for k, v in loaded.items() if not _is_wide(k, loaded)}
        found = {k: v if is_recorded(k) else self.reading.moved(k, v) for k, v in plain.items()}
        if self.reading.exact:
            found |= {name: loaded[wide] for name, wide in self._wide_names(loaded).items()}
        return found

    @staticmethod
    def _wide_names(loaded: Mapping[str, Tensor]) -> dict[str, str]:
        """Return the name in float32 of what was recorded in float64, with its own name."""
        return {_narrow(name): name for name in loaded if _is_wide(name, loaded)}

    @cached_property
    def recorded_exactly(self) -> set[str]:
        """Names (of the float32 record) of what was recorded in float64 too."""
        with safe_open(self.path, "pt") as file:
            names = dict.fromkeys(file.keys())
        return {_narrow(name) for name in names if _is_wide(name, names)}

    @property
    def rounding_of_float64(self) -> float:
        """What the JSON says of its float64 record where parts of it are float32 (buffers, taps); else 0.

        Ordinary records name 1e-7, for whoever runs with widened weights; a larger number has a reason.
        """
        stated = self.spec.get("tolerances")
        wide = stated.get("float64", {}) if isinstance(stated, Mapping) else {}
        rtol = float(wide.get("rtol", 0.0))
        return rtol if rtol > ORDINARY_FLOAT64 else 0.0

    def group(self, prefix: str) -> State:
        """Return the tensors under ``prefix``, which is cut off their names."""
        return {k[len(prefix) :]: v for k, v in self.tensors.items() if k.startswith(prefix)}

    def state(self, prefix: str = "state/") -> State:
        """Return the state dict: what the JSON's formula rebuilds, and what is stored."""
        formula = self.spec.get("state_formula")
        rebuilt = state_from_formula(formula) if formula else {}
        return {k: self.reading.moved(k, v) for k, v in rebuilt.items()} | self.group(prefix)

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

    def tolerance_of(self, name: str) -> Tolerance:
        """Return the tolerance of one quantity: the JSON names those where float32 is looser.

        Their float64 record, held tightly, is the judge.
        """
        stated = self.spec.get("tolerances")
        wider = stated.get("wider_atol", {}) if isinstance(stated, Mapping) else {}
        usual = self.tolerance
        return Tolerance(usual.rtol, max(usual.atol, float(wider.get(name, 0.0))))


def _narrow(name: str) -> str:
    """Return the name of the float32 record that ``out64/x`` stands beside."""
    first, _, rest = name.partition("/")
    return f"{first.removesuffix(WIDE)}/{rest}"


def _is_wide(name: str, names: Mapping[str, Any]) -> bool:
    return name.partition("/")[0].endswith(WIDE) and is_recorded(name) and _narrow(name) in names


def is_recorded(name: str) -> bool:
    """Return whether a tensor of this name was computed by the peer."""
    return name.startswith(RECORDED)


def _as_default(value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    wide = torch.promote_types(value.dtype, torch.float32)
    return value.to(torch.promote_types(wide, torch.get_default_dtype()))


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
    value = _values_from_formula(key, shape, random, scale)
    return _as_default(torch.from_numpy(value.reshape(shape)).float())


def _values_from_formula(
    key: str, shape: tuple[int, ...], random: np.random.RandomState, scale: float
) -> np.ndarray:
    size = int(np.prod(shape))
    if key.endswith("running_var"):
        return 0.5 + random.random_sample(size)
    normal = random.standard_normal(size)
    if key.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) > 1:
        return normal * np.sqrt(2) / np.sqrt(size / shape[0]) * scale
    return 0.1 * normal if key.endswith("bias") else 1 + 0.2 * normal


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


def load_case(stem: Path, reading: Reading | None = None) -> GoldenCase:
    """Read the description and the tensors of a case, in torch's default number format or wider.

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
    case = GoldenCase(data, with_values(spec), reading or Reading())
    if not case.tensors:
        raise CorruptCase(f"{data.name}: holds no tensors")
    return case
