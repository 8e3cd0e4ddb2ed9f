"""Checkers: batch statistics that are gathered anew before an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mmcgan.evaluation.statistics.batch_statistics import accumulate_statistics
from mmcgan.peers import PeerNetwork, peer_format
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison
from tests.parity.runner import checker

SUMS = ("stored_mean", "stored_var")
COUNTER = "accumulation_counter"
# settings of StudioGAN's procedure; the others are its generator's
PROCEDURE = ("standing_max_batch", "standing_step", "seed")


def accumulate(network: PeerNetwork, batches: Sequence[Mapping[str, Tensor]], rule: str) -> None:
    """Run ``batches`` of inputs, by the peer's names, as :func:`accumulate_statistics` wants them."""
    accumulate_statistics(network.module, [partial(network.call, batch) for batch in batches], rule)


@checker(("biggan_pytorch", "standing_statistics"))
def check_biggan_standing_statistics(case: GoldenCase, comparison: Comparison) -> None:
    """Averages (stored there as sums and a counter), spectral-norm vectors, and the images they give."""
    network = peer_format(case.peer, case.spec).network(case.spec, case.state())
    latents, labels = case.tensors["in/z"], case.tensors["in/y"]
    accumulate(network, [{"z": z, "y": y} for z, y in zip(latents, labels, strict=True)], "average")
    state, after = network.state(), case.group("after/")
    for key, expected in after.items():
        layer, _, name = key.rpartition(".")
        if name in SUMS:
            expected = expected / after.get(f"{layer}.{COUNTER}", torch.tensor(float(len(latents))))
        if name != COUNTER:
            comparison.equal(f"after/{key}", state[key], expected)
    with torch.no_grad():
        images = network.call({"z": case.tensors["in/z_test"], "y": case.tensors["in/y_test"]})
    comparison.equal("out/eval_after", images[""], case.tensors["out/eval_after"])


def studiogan_network_spec(case: GoldenCase) -> dict[str, Any]:
    """Return the description of the case's generator as cases of networks have it."""
    settings = case.spec["settings"]
    own = {key: value for key, value in settings.items() if key not in (*PROCEDURE, "backbone")}
    conditional = any(".gain." in key for key in case.state())
    own = {
        "img_size": case.tensors["out/image_test_eval"].shape[-1],
        "g_cond_mtd": "cBN" if conditional else "W/O",
        **own,
    }
    model = {"backbone": settings["backbone"]}
    return {"kind": f"network/{settings['backbone']}/G", "constructor_kwargs": own, "model_config": model}


@checker(("studiogan", "standing_statistics"))
def check_studiogan_standing_statistics(case: GoldenCase, comparison: Comparison) -> None:
    """The exponential average over batches of random sizes, and the images it gives."""
    spec = studiogan_network_spec(case)
    network = peer_format(case.peer, spec).network(spec, case.state())
    sizes = case.tensors["in/batch_sizes"].tolist()
    parts = (case.tensors[f"in/{name}_all"].split(sizes) for name in ("z", "label"))
    accumulate(network, [{"z": z, "label": y} for z, y in zip(*parts, strict=True)], "exponential")
    state = network.state()
    for key, expected in case.group("out/state/").items():
        if key in state:
            comparison.equal(f"out/state/{key}", state[key], expected)
    with torch.no_grad():
        images = network.call({"z": case.tensors["in/z_test"], "label": case.tensors["in/label_test"]})
    comparison.equal("out/image_test_eval", next(iter(images.values())), case.tensors["out/image_test_eval"])
