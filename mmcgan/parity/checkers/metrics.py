"""Checkers: Fréchet distance and Inception Score."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from mmcgan.evaluation.frechet import (
    GaussianStatistics,
    StreamingMoments,
    frechet_distance,
    trace_of_product_root,
)
from mmcgan.evaluation.inception_score import inception_score
from mmcgan.parity.cases import GoldenCase
from mmcgan.parity.compare import Comparison, Tolerance
from mmcgan.parity.runner import checker

EXACT = Tolerance(1e-5, 1e-6)
SINGLE = Tolerance(1e-4, 1e-5)  # the peer computed in float32
# The peers take the root of a singular product by an iteration that is good to a few digits.
SINGULAR = Tolerance(1e-3, 1e-5)


def statistics(features: Tensor) -> GaussianStatistics:
    """Return mean and covariance of ``features`` (N, F), gathered in two batches."""
    moments = StreamingMoments()
    for part in features.split((len(features) + 1) // 2):
        moments.update(part)
    return moments.compute()


def distance(first: GaussianStatistics, second: GaussianStatistics) -> float:
    """Return the Fréchet distance of two sets of statistics."""
    return frechet_distance(first.mean, first.covariance, second.mean, second.covariance)


@checker(("biggan_pytorch", "frechet"))
def check_biggan_frechet(case: GoldenCase, comparison: Comparison) -> None:
    """Moments, distance, and distance with a covariance that is not of full rank."""
    features = {side: case.tensors[f"in/feats_{side}"] for side in ("a", "b")}
    found = {side: statistics(value) for side, value in features.items()}
    for side, moments in found.items():
        comparison.equal(f"out/mu_{side}", moments.mean, case.tensors[f"out/mu_{side}"], SINGLE)
        for kind, tolerance in (("numpy64", EXACT), ("torch", SINGLE)):
            name = f"out/sigma_{side}_{kind}"
            comparison.equal(name, moments.covariance, case.tensors[name], tolerance)
    whole = distance(found["a"], found["b"])
    comparison.equal("out/fid_numpy64", whole, case.tensors["out/fid_numpy64"], EXACT)
    approximate = case.tensors["out/fid_torch32"]
    if not approximate.isnan():  # the peer's iteration diverges on some covariances; ours does not
        comparison.equal("out/fid_torch32", whole, approximate, SINGLE)
    few = statistics(features["a"][: features["a"].shape[1] // 2])
    singular = distance(few, found["b"])
    comparison.equal(
        "out/fid_numpy64_singular_a", singular, case.tensors["out/fid_numpy64_singular_a"], SINGULAR
    )
    root = case.tensors.get("out/newton_schulz_sqrt_of_sigma_a_sigma_b")
    if root is not None and not root.isnan().any():
        trace = trace_of_product_root(found["a"].covariance, found["b"].covariance)
        comparison.equal("trace of the root of sigma_a sigma_b", trace, root.trace(), SINGLE)


@checker(("studiogan", "frechet_prdc"))
def check_studiogan_frechet(case: GoldenCase, comparison: Comparison) -> None:
    """Fréchet distances; precision, recall, density and coverage are a later issue."""
    real, fake = case.tensors["in/real_feats"], case.tensors["in/fake_feats"]
    reference = statistics(real)
    comparison.equal("out/mu_real", reference.mean, case.tensors["out/mu_real"], EXACT)
    diagonal = reference.covariance.diagonal()
    comparison.equal("out/sigma_real_diag", diagonal, case.tensors["out/sigma_real_diag"], EXACT)
    parts = {
        "fid": (fake, SINGLE),
        "fid_all_float64": (fake, EXACT),
        "fid_first_half_of_fakes": (fake[: len(fake) // 2], SINGLE),
        "fid_rank_deficient": (fake[: fake.shape[1] // 2], SINGULAR),
    }
    for name, (features, tolerance) in parts.items():
        if f"out/{name}" in case.tensors:
            value = distance(reference, statistics(features))
            comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], tolerance)
    if case.group("out/prdc_"):
        comparison.skip("precision, recall, density, coverage")


@checker(("biggan_pytorch", "inception_score"))
def check_biggan_inception_score(case: GoldenCase, comparison: Comparison) -> None:
    """Mean and population deviation over ordered splits; remaining rows are dropped."""
    for suffix, expected in case.group("out/mean_std_splits").items():
        found = inception_score(case.tensors["in/pred"], int(suffix))
        comparison.equal(f"{suffix} splits", torch.tensor(found, dtype=torch.float64), expected, SINGLE)


@checker(("studiogan", "inception_score"))
def check_studiogan_inception_score(case: GoldenCase, comparison: Comparison) -> None:
    """Mean and sample deviation over splits that use every row.

    Where the peer returns NaN (deviation of one split, a probability of exactly 0), we return a
    number on purpose, so those values are left out.
    """
    for suffix, expected in case.group("out/is_splits").items():
        found = inception_score(case.tensors["in/probs"], int(suffix), remainder="spread", ddof=1)
        known = ~expected.isnan()
        ours = torch.tensor(found, dtype=torch.float64)
        comparison.equal(f"{suffix} splits", ours[known], expected[known], SINGLE)


@checker(("mmagic", "metrics"))
def check_mmagic_metrics(case: GoldenCase, comparison: Comparison) -> None:
    """Fréchet distance with its two parts and Inception Score; the other metrics are a later issue."""
    settings = case.spec["constructor"]
    real, fake = (statistics(case.tensors[f"in/{side}_feats"]) for side in ("real", "fake"))
    total = distance(fake, real)
    gap = float((fake.mean - real.mean).square().sum())
    ours = torch.tensor([total, gap, total - gap], dtype=torch.float64)
    comparison.equal("out/fid", ours, case.tensors["out/fid"], SINGLE)
    used = case.tensors["in/probs"][: settings["is_fake_nums"]]
    found = inception_score(used, settings["is_splits"])
    comparison.equal("out/is", torch.tensor(found, dtype=torch.float64), case.tensors["out/is"], SINGLE)
    others = {re.split(r"[_0-9]", name)[0] for name in case.group("out/")} - {"fid", "is"}
    if others:
        comparison.skip(f"metrics {', '.join(sorted(others))}")
