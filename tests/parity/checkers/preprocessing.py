"""Checkers: how images reach an extractor."""

from __future__ import annotations

from mmcgan.extractors.base import Preprocessing, quantize
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

EXACT = Tolerance(1e-9, 1e-9)
# normalised images; the peer resized in float32
RESIZED = Tolerance(1e-5, 1e-5)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5,) * 3, (0.5,) * 3)
# StudioGAN's name of a resizer -> ours, and the normalisation it was recorded with
RESIZERS = {
    "legacy": ("legacy", HALF),
    "clean": ("pil-bicubic", IMAGENET),
    "friendly_bilinear": ("pil-bilinear", HALF),
    "friendly_bicubic": ("pil-bicubic", HALF),
    "friendly_lanczos": ("pil-lanczos", HALF),
}


@checker(("studiogan", "metric/preprocess"))
def check_studiogan_preprocessing(case: GoldenCase, comparison: Comparison) -> None:
    """Quantisation to 8 bits, then each resizer with its normalisation."""
    pixels = quantize(case.tensors["in/x"])
    comparison.equal("out/quantized", pixels, case.tensors["out/quantized"], EXACT)
    size = int(case.spec["settings"]["out_size"])
    for name, expected in case.group("out/").items():
        if name == "quantized":
            continue
        if name not in RESIZERS:
            comparison.skip(f"resizer {name}")
            continue
        rule, (mean, std) = RESIZERS[name]
        found = Preprocessing(size, rule, mean, std)(pixels)
        comparison.equal(f"out/{name}", found, expected, RESIZED)
