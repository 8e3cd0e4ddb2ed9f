"""Golden networks as the files that their peers write, and what has to be said about them."""

import json
import re
from pathlib import Path

import torch

from mmcgan.peers import GENERATOR, peer_format
from mmcgan.peers.reading.convert import Options, inspect_checkpoint
from mmcgan.peers.reading.resolving import AmbiguousError
from mmcgan.peers.reading.shapes import flatten
from mmcgan.peers.translation import PeerNetwork, UnsupportedSetting
from tests.parity import GoldenCase, load_case
from tests.test_parity.golden_sets import COMMITTED, full_set, stems

#: Not converted from golden cases: its generators need a label map and an image size.
SPADE = "spade"

#: Recorded with channels that no setting of the peer's makes: its own networks are wider.
NARROWED = ("deep_conv_small", "mmagic__stylegan2_")
#: What a peer stores and never uses is made up on the way back.
UNUSED = {
    "ic_gan_biggan": re.compile(r"shared\.weight"),
    "projected_gan_fastgan": re.compile(r"synthesis\.(feat|se)_256\..*"),
    "projected_gan_fastgan_lite": re.compile(r"synthesis\.(feat|se)_256\..*"),
}


def is_narrowed(case) -> bool:
    """Return whether a recorded network is narrower than any that the peer's settings build."""
    return any(name in case.path.name for name in NARROWED)


def used(name, keys) -> list[str]:
    """Return the keys of a format that the peer's networks look at."""
    return [key for key in keys if name not in UNUSED or not UNUSED[name].fullmatch(key)]


class GoldenNetwork:
    """A golden case of a network."""

    def __init__(self, stem: Path) -> None:
        self.case = load_case(stem)
        self.format = peer_format(self.case.peer, self.case.spec)
        self.role = self.format.role_of(self.case.spec)
        self.state = self.case.state()
        shapes = {f"state/{key}": {"shape": list(value.shape)} for key, value in self.state.items()}
        self.spec = {**self.case.spec, "tensors": shapes}

    @property
    def config(self):
        """The config that the peer's own settings describe, flat."""
        return flatten(json.loads(json.dumps(self.format.read(self.spec))))

    def save(self, folder: Path) -> Path:
        """Write the network as its peer does; return what to convert."""
        average = self.role == GENERATOR
        folder.mkdir(parents=True, exist_ok=True)
        if self.case.peer == "studiogan":
            file = folder / f"model={'G_ema' if average else 'D'}-best-weights-step=7.pth"
            torch.save({"state_dict": self.state, "step": 7, "run_name": "a run"}, file)
            return folder
        if self.case.peer == "mmagic":
            prefix = "generator_ema." if average else "discriminator."
            state = {f"{prefix}{key}": value for key, value in self.state.items()}
            torch.save({"state_dict": state, "meta": {"iter": 7}}, folder / "iter_7.pth")
            return folder / "iter_7.pth"
        if self.case.peer == "hfbiggan":
            torch.save(self.state, folder / "pytorch_model.bin")
            described = self.case.spec["constructor"]["BigGANConfig"]
            (folder / "config.json").write_text(json.dumps(described))
            return folder
        torch.save(self.state, folder / ("G_ema.pth" if average else "D.pth"))
        return folder

    def convert(self, source: Path):
        """Return the conversion, told only what is ambiguous or cannot be seen and is not as assumed."""
        known, wishes, name = self.config, {}, None
        for _ in range(3):
            try:
                conversion = inspect_checkpoint(source, Options(format=name, settings=wishes))
                break
            except AmbiguousError as error:
                name = self.format.name if len(error.formats) > 1 else name
                wishes |= {path: known[short(path)] for path in error.settings if short(path) in known}
        fit = conversion.networks[0]
        values = flatten(fit.config)
        unseen = [path for path, origin in fit.origin.items() if origin == "assumed"]
        differing = {
            f"{self.role}.{path}": known[path]
            for path in unseen
            if path in known and known[path] != values[path]
        }
        if not differing:
            return conversion
        return inspect_checkpoint(source, Options(format=name, settings={**wishes, **differing}))

    def network(self, module) -> PeerNetwork:
        """Return ``module`` behind the peer's names."""
        return PeerNetwork(self.format, self.spec, module, self.format.key_map(self.state, self.role))


def short(path: str) -> str:
    """Return a setting's path without the player."""
    return path.split(".", 1)[1]


def cases_by_format(kinds):
    """Return the golden cases whose kind starts with one of ``kinds``, by format, of all that have one."""
    found = {}
    for stem in stems(full_set() or COMMITTED):
        case = load_case(stem)
        try:
            form = peer_format(case.peer, case.spec)
        except UnsupportedSetting:
            continue
        if str(case.spec.get("kind", "network")).startswith(kinds):
            found.setdefault(form.name, []).append(case)
    return found


def network_stems() -> list[Path]:
    """Return the golden networks of all peers that are converted: the full set's, else the committed ones."""
    folder = full_set() or COMMITTED
    return [stem for stem in stems(folder) if _is_network(stem)]


def _is_network(stem: Path) -> bool:
    """Read the description alone: all tensors of all cases take long."""
    spec = json.loads(stem.with_name(f"{stem.name}.json").read_text())
    constructor = spec.get("constructor")
    kind = constructor.get("type", "") if isinstance(constructor, dict) else ""
    named = str(spec.get("kind", "")).startswith("network") or kind.endswith(("Generator", "Discriminator"))
    case = GoldenCase(stem.with_name(f"{stem.name}.safetensors"), spec)
    if case.peer == SPADE or not (named or (isinstance(constructor, dict) and "BigGANConfig" in constructor)):
        return False
    try:
        peer_format(case.peer, case.spec)
    except UnsupportedSetting:
        return False
    return True
