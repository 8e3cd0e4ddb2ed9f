"""Checkers: metrics over features, probabilities and pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmcgan.evaluation.metrics.inception import inception_score
from mmcgan.evaluation.metrics.path_length import slerp, trimmed_mean
from mmcgan.evaluation.metrics.precision_recall import prdc
from mmcgan.evaluation.metrics.similarity import contrast_similarity, ms_ssim, ssim
from mmcgan.evaluation.metrics.sliced_wasserstein import (
    cut_patches,
    laplacian_pyramid,
    normalise_patches,
    sliced_wasserstein,
)
from mmcgan.evaluation.statistics.frechet import (
    GaussianStatistics,
    StreamingMoments,
    frechet_distance,
)
from mmcgan.evaluation.statistics.groups import GroupMoments, class_groups
from mmcgan.neighbours.balls import count_balls
from mmcgan.neighbours.nearest import kth_neighbour_distances
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

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
        first, second = (found[side].covariance for side in "ab")
        zero = first.new_zeros(len(first))
        separate = first.trace() + second.trace()
        trace = (separate - frechet_distance(zero, first, zero, second)) / 2
        comparison.equal("trace of the root of sigma_a sigma_b", trace, root.trace(), SINGLE)


@checker(("studiogan", "frechet_prdc"))
def check_studiogan_frechet(case: GoldenCase, comparison: Comparison) -> None:
    """Fréchet distances, precision, recall, density and coverage."""
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
    for suffix, expected in case.group("out/prdc_k").items():
        comparison.equal(f"prdc, k = {suffix}", as_vector(prdc(real, fake, int(suffix))), expected, EXACT)


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


def as_vector(figures: Mapping[str, float]) -> Tensor:
    """Return the values as float64, in their order."""
    return torch.tensor(list(figures.values()), dtype=torch.float64)


@checker(("ic_gan", "metric"))
def check_ic_gan_metric(case: GoldenCase, comparison: Comparison) -> None:
    """Either of two cases: balls around features, or FID in groups of classes."""
    if "in/samples_per_class" in case.tensors:
        check_stratified_fid(case, comparison)
    else:
        check_balls(case, comparison)


def check_balls(case: GoldenCase, comparison: Comparison) -> None:
    """Radii, precision, recall, density and coverage."""
    k = case.spec["nearest_k"]
    sides = {side: case.tensors[f"in/{side}"] for side in ("real", "fake")}
    for side, features in sides.items():
        radii = kth_neighbour_distances(features, k)
        comparison.equal(f"out/radii_{side}", radii, case.tensors[f"out/radii_{side}"], SINGLE)
    for name, value in prdc(sides["real"], sides["fake"], k).items():
        comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], EXACT)


def check_stratified_fid(case: GoldenCase, comparison: Comparison) -> None:
    """Groups by training images per class, FID overall and per group, Inception Score."""
    tensors = case.tensors
    groups = class_groups(tensors["in/samples_per_class"].tolist())
    fake = GroupMoments({"all": sorted(label for part in groups.values() for label in part), **groups})
    fake.update(tensors["in/pool"], tensors["in/labels"])
    order = [name for name in ("many", "medium", "few") if name in groups]
    for index, name in enumerate(("many", "medium", "few")):
        expected = (tensors["out/group_of_class"] == index).nonzero().flatten()
        comparison.equal(f"classes of {name}", torch.tensor(groups.get(name, [])), expected)
    counts = torch.tensor([fake.moments[name].count for name in order])
    comparison.equal("out/count_many_low_few", counts, tensors["out/count_many_low_few"])
    theirs = {"all": "ref", "many": "ref_many", "medium": "ref_low", "few": "ref_few"}
    found = {}
    for name, moments in fake.moments.items():
        own, key = moments.compute(), f"in/{theirs[name]}"
        found[name] = frechet_distance(
            own.mean, own.covariance, tensors[f"{key}_mu"], tensors[f"{key}_sigma"]
        )
    comparison.equal("out/fid_all", found.pop("all"), tensors["out/fid_all"], SINGULAR)
    comparison.equal("out/fid_many_low_few", as_vector(found), tensors["out/fid_many_low_few"], EXACT)
    score = inception_score(tensors["in/logits"].softmax(dim=1), 10)
    comparison.equal("out/IS_mean_std", torch.tensor(score), tensors["out/IS_mean_std"], SINGLE)


MMAGIC_PARTS = {"fid", "is", "precision", "kth", "swd", "ms", "ssim", "cs", "ppl", "slerp"}


@checker(("mmagic", "metrics"))
def check_mmagic_metrics(case: GoldenCase, comparison: Comparison) -> None:
    """Every metric of the case; parts of other names are not known."""
    settings = case.spec["constructor"]
    real, fake = (statistics(case.tensors[f"in/{side}_feats"]) for side in ("real", "fake"))
    total = distance(fake, real)
    gap = float((fake.mean - real.mean).square().sum())
    ours = torch.tensor([total, gap, total - gap], dtype=torch.float64)
    comparison.equal("out/fid", ours, case.tensors["out/fid"], SINGLE)
    used = case.tensors["in/probs"][: settings["is_fake_nums"]]
    found = inception_score(used, settings["is_splits"])
    comparison.equal("out/is", torch.tensor(found, dtype=torch.float64), case.tensors["out/is"], SINGLE)
    check_mmagic_balls(case, comparison)
    check_mmagic_pixels(case, comparison)
    check_mmagic_paths(case, comparison)
    others = {re.split(r"[_0-9]", name)[0] for name in case.group("out/")} - MMAGIC_PARTS
    if others:
        comparison.skip(f"metrics {', '.join(sorted(others))}")


def check_mmagic_balls(case: GoldenCase, comparison: Comparison) -> None:
    """Precision and recall with radii rounded to float16, as only this peer does."""
    k = case.spec["constructor"]["pr_k"]
    real, fake = case.tensors["in/real_feats"], case.tensors["in/fake_feats"]
    radii = [kth_neighbour_distances(value, k).half() for value in (real, fake)]
    comparison.equal("out/kth_radius_fp16", radii[0].float(), case.tensors["out/kth_radius_fp16"])
    counts = count_balls(real, fake, radii[0].float(), radii[1].float(), closed=True)
    found = [(counts.real_balls > 0).double().mean(), counts.in_fake_ball.double().mean()]
    comparison.equal("out/precision_recall", torch.stack(found), case.tensors["out/precision_recall"], EXACT)


def check_mmagic_pixels(case: GoldenCase, comparison: Comparison) -> None:
    """SSIM, MS-SSIM, and the steps of the sliced Wasserstein distance on given patches."""
    tensors = case.tensors
    first, second = (tensors[f"in/ssim_{side}"].permute(0, 3, 1, 2) for side in ("x", "y"))
    comparison.equal("out/ms_ssim_each", ms_ssim(first, second), tensors["out/ms_ssim_each"], SINGLE)
    comparison.equal("out/ssim_scale0", ssim(first, second), tensors["out/ssim_scale0"], SINGLE)
    contrast = contrast_similarity(first, second)
    comparison.equal("out/cs_scale0", contrast, tensors["out/cs_scale0"], SINGLE)
    same = ms_ssim(first, first).mean()
    comparison.equal("out/ms_ssim_identical", same, tensors["out/ms_ssim_identical"], SINGLE)
    pyramids = {side: laplacian_pyramid(tensors[f"in/swd_{side}"], 2, "mmagic") for side in ("a", "b")}
    for level, image in enumerate(pyramids["a"]):
        name = f"out/swd_laplacian_a_{level}"
        comparison.equal(name, image, tensors[name])
    rows = {}
    for side, pyramid in pyramids.items():
        centres = (tensors[f"in/swd_offsets_{side}_{axis}"] for axis in ("x", "y"))
        patches = cut_patches(pyramid[0], *centres)
        rows[side] = normalise_patches(patches)
        if side == "a":
            comparison.equal("out/swd_desc_a", patches, tensors["out/swd_desc_a"])
            comparison.equal("out/swd_final_a", rows[side], tensors["out/swd_final_a"])
    found = sliced_wasserstein(rows["a"], rows["b"], tensors["in/swd_dirs"])
    comparison.equal("out/swd", found, tensors["out/swd"])


def check_mmagic_paths(case: GoldenCase, comparison: Comparison) -> None:
    """Spherical interpolation, and the path length from given distances."""
    ends = case.tensors["in/slerp_a"], case.tensors["in/slerp_b"]
    for position, expected in case.group("out/slerp_").items():
        comparison.equal(f"out/slerp_{position}", slerp(*ends, float(position)), expected)
    found = trimmed_mean(case.tensors["in/ppl_distances"])
    comparison.equal("out/ppl", found, case.tensors["out/ppl"], SINGLE)
