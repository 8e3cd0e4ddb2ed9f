"""Networks of well-known code bases that are not read, named as what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class UnsupportedNetwork:
    """A network of a code base whose weights are not converted.

    Attributes:
        what: its name for messages.
        keys: regular expressions, each of which some key matches from start to end.
        instead: what is read in its place.
    """

    what: str
    keys: tuple[str, ...]
    instead: str

    def is_in(self, keys: Iterable[str]) -> bool:
        """Return whether these keys are of such a network."""
        found = list(keys)
        return all(any(re.fullmatch(pattern, key) for key in found) for pattern in self.keys)


STYLEGAN2 = "StyleGAN2 is read as StyleGAN2-ADA's PyTorch code, ic_gan, StudioGAN and MMagic write it"
UNSUPPORTED = (
    UnsupportedNetwork(
        "a StyleGAN2 generator of rosinality's stylegan2-pytorch, or of a code base that follows it",
        (r"style\.\d+\.weight", r"input\.input", r"conv1\.conv\.modulation\.weight"),
        STYLEGAN2,
    ),
    UnsupportedNetwork(
        "a StyleGAN2 discriminator of rosinality's stylegan2-pytorch, or of a code base that follows it",
        (r"convs\.0\.0\.weight", r"convs\.\d+\.conv1\.0\.weight", r"final_linear\.0\.weight"),
        STYLEGAN2,
    ),
    UnsupportedNetwork(
        "a StyleGAN2 generator of lucidrains' stylegan2_pytorch",
        (r"(.*\.)?(S|SE|S\.net|G)\..*", r"(.*\.)?blocks\.\d+\.to_style1\.weight"),
        STYLEGAN2,
    ),
    UnsupportedNetwork(
        "a StyleGAN (version 1) generator of rosinality's style-based-gan-pytorch",
        (r"(module\.)?generator\.progression\.\d+\..*",),
        STYLEGAN2,
    ),
    UnsupportedNetwork(
        "a StyleGAN3 generator",
        (r"synthesis\.input\.freqs", r"synthesis\.L\d+_.*"),
        STYLEGAN2,
    ),
)


def unsupported_network(keys: Iterable[str]) -> str | None:
    """Return what is said of a network that is known and not read; None for any other."""
    found = list(keys)
    for network in UNSUPPORTED:
        if network.is_in(found):
            return f"this is {network.what}: not supported. {network.instead}"
    return None
