"""Checkers: SeFa's directions and the pictures of walks along them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcgan.analysis import sefa_directions, walk
from mmcgan.analysis.directions import Directions
from mmcgan.models.layers.spectral_norm import evaluated_weight
from mmcgan.peers import PeerNetwork, peer_format
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

EXACT = Tolerance(1e-4, 1e-5)
#: settings of the analysis; the others are its generator's
WALK = ("num_semantic_axis", "maximum_variations", "num_cols", "backbone")


def sefa_network(case: GoldenCase) -> PeerNetwork:
    """Return the generator that the case describes."""
    settings = case.spec["settings"]
    own = {key: value for key, value in settings.items() if key not in WALK and value is not None}
    own |= {"img_size": case.tensors["out/images_first_row"].shape[-1]}
    spec = {
        "kind": f"network/{settings['backbone']}/G",
        "constructor_kwargs": own,
        "model_config": {"backbone": settings["backbone"]},
    }
    return peer_format(case.peer, spec).network(spec, case.state())


@checker(("studiogan", "analysis/sefa"))
def check_sefa(case: GoldenCase, comparison: Comparison) -> None:
    """Weight, singular values and vectors (up to their sign), and the first row of images."""
    settings = case.spec["settings"]
    network = sefa_network(case)
    generator = network.module.eval()
    weight = case.tensors["out/linear0_weight_used"]
    linear = getattr(generator, "linear", None)
    if isinstance(linear, torch.nn.Module):
        comparison.equal("out/linear0_weight_used", evaluated_weight(linear), weight, EXACT)
    directions = sefa_directions(generator, int(settings["num_semantic_axis"]))
    theirs = case.tensors["out/eigen_vectors"].T
    signed = _with_signs_of(directions, theirs)
    comparison.equal("out/eigen_vectors", signed.vectors[:, : theirs.shape[1]], theirs, EXACT)
    values = case.tensors["out/singular_values"][: len(theirs)]
    comparison.equal("out/singular_values", directions.singular_values, values, EXACT)
    strengths = torch.linspace(0, float(settings["maximum_variations"]), int(settings["num_cols"]))
    latent = case.tensors["in/z"][None]
    canvas = latent + strengths[None, :, None] * signed.vectors[:, None]
    comparison.equal("out/z_canvas", canvas.flatten(0, 1), case.tensors["out/z_canvas"], EXACT)
    condition = Condition(label=case.tensors["in/label"][None])
    first = Directions(signed.vectors[:1], signed.singular_values[:1], signed.space)
    images = walk(generator, latent, condition, first, strengths.tolist())
    comparison.equal(
        "out/images_first_row", images[0], case.tensors["out/images_first_row"], Tolerance(1e-3, 1e-4)
    )


def _with_signs_of(directions: Directions, theirs: Tensor) -> Directions:
    """Return ``directions`` turned to point as ``theirs`` (K, at most D) do."""
    seen = directions.vectors[:, : theirs.shape[1]]
    signs = (seen * theirs).sum(1, keepdim=True).sign()
    return Directions(directions.vectors * signs, directions.singular_values, directions.space)
