"""Images that are made again and again are no sample of a distribution: some figures are refused."""

import pytest

from mmcgan.contracts import declared
from mmcgan.evaluation.planning import Outcomes
from mmcgan.evaluation.report.metric_names import metric_configs
from mmcgan.registry import DATASETS, GENERATION_METRICS

#: what compares generated images with each other
AMONG_EACH_OTHER = {"FIDInfinity", "KID", "MSSSIM", "PRDC", "PrecisionRecall"}


def suite():
    return [GENERATION_METRICS.build(dict(config)) for config in metric_configs(["all"])]


def left_out(generated, distinct):
    metrics = suite()
    outcomes = Outcomes(metrics, {})
    outcomes.plan(generated, 60_000, distinct)
    return {type(metrics[place]).__name__: str(error) for place, error in outcomes.errors.items()}


def test_what_compares_images_with_each_other_says_so():
    named = {type(metric).__name__ for metric in suite() if declared(metric, "needs_distinct")}
    assert named == AMONG_EACH_OTHER


@pytest.mark.parametrize("distinct", [1, 1000, 9999])
def test_repeated_images_give_them_no_figure(distinct):
    reasons = left_out(10_000, distinct)
    assert reasons.keys() == AMONG_EACH_OTHER
    assert all(f"at most {distinct:,} (--num)" in reason for reason in reasons.values())


@pytest.mark.parametrize("distinct", [None, 10_000, 60_000])
def test_images_that_all_differ_give_all_figures(distinct):
    assert left_out(10_000, distinct) == {}


def test_a_metric_alone_ends_before_an_image_is_made():
    metrics = [GENERATION_METRICS.build(dict(type="PRDC"))]
    with pytest.raises(ValueError, match="10 images are asked for by 4 different requests"):
        Outcomes(metrics, {}).plan(10, 20, 4)


@pytest.mark.parametrize(
    ("size", "latent_dim", "told"), [(None, 0, None), (5, 0, None), (12, 0, 8), (12, 4, None)]
)
def test_maps_that_go_round_without_a_latent_are_told(size, latent_dim, told):
    maps = dict(type="Scenes", split="test", image_size=16, size=8)
    asked = DATASETS.build(dict(type="LabelMapConditions", dataset=maps, size=size, latent_dim=latent_dim))
    assert asked.metainfo.get("distinct") == told
