"""Copies of training images: the metric and its pictures, on the coloured stand-ins."""

import pytest
import torch
from PIL import Image

from mmcgan.evaluation import GenerationEvaluator, memorization
from mmcgan.evaluation.metrics.memorized import neighbour_picture
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import ColourDataset, MeanColour
from tests.test_evaluation.test_metric_classes import evaluator_of, run


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def test_fresh_images_are_no_copies():
    figures = run(evaluator_of([dict(type="Memorization", share=0.1)], size=300), ColourDataset(90, seed=5))
    assert figures["memorized"] < 0.3
    assert figures["closer_than_training"] < 0.75
    assert 0.5 < figures["nearest_real_ratio"] < 2


def test_copies_of_images_that_are_there_twice_are_found_whatever_batch_they_came_in():
    real = torch.randn(40, 16, generator=torch.Generator().manual_seed(0))
    twice = real.repeat(2, 1)
    jitter = 1e-6 * torch.randn(40, 16, generator=torch.Generator().manual_seed(1))
    for copies in (real, real + jitter):  # features differ in the last digits with the batch
        found = memorization(twice, copies, 3)
        assert found.closer_than_real() == 1 and found.closer_than_training() == 1
    others = torch.randn(40, 16, generator=torch.Generator().manual_seed(2))
    assert memorization(twice, others, 3).closer_than_real() == 0


def test_a_ratio_over_nothing_is_no_figure():
    evaluator = GenerationEvaluator(
        [dict(type="Memorization")], MeanColour(), dict(dataset=Twice()), overlap=False
    )
    data = ColourDataset(20, 3)
    evaluator.process([dict(image=data.image, condition=Condition(label=data.label))])
    assert set(evaluator.evaluate(20)) == {"memorized", "closer_than_training", "nearest_real"}


class Twice(ColourDataset):
    """Every image is there twice."""

    def __init__(self) -> None:
        super().__init__(30)
        self.image, self.label = self.image.repeat(2, 1, 1, 1), self.label.repeat(2)


def test_memorization_draws_the_closest_pairs(tmp_path):
    path = tmp_path / "closest.png"
    evaluator = evaluator_of([dict(type="Memorization", picture=str(path), rows=2)])
    generated = ColourDataset(30, seed=5)
    generated.image[11] = ColourDataset().image[4]
    run(evaluator, generated)
    closest = evaluator.report()["metrics"][0]["closest"]
    assert (closest["generated"][0], closest["real"][0][0], closest["distance"][0][0]) == (11, 4, 0)
    picture = torch.tensor(list(Image.open(path).convert("RGB").tobytes())).view(14, -1, 3)
    shown = generated.image[11].permute(1, 2, 0)
    assert torch.equal(picture[2:6, 2:6], shown)
    assert torch.equal(picture[2:6, 12:16], shown), "the nearest real image stands beside it"


def test_neighbour_picture_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected uint8 images"):
        neighbour_picture(torch.zeros(2, 3, 4, 4).byte(), torch.zeros(3, 1, 3, 4, 4).byte())


def test_memorization_of_features():
    real = torch.arange(10.0)[:, None]
    found = memorization(real, torch.tensor([[2.0], [7.25]]), 1)
    assert found.row.flatten().tolist() == [2, 7]
    assert found.closer_than_real(0.5) == 1
    assert found.real_distance.tolist() == [1.0] * 10


def test_copies_count_as_memorised_where_training_images_are_there_twice():
    """Then the distance of the nearest training images is 0, and no sample can be closer."""
    real = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    twice = torch.cat([real, real])
    fresh = torch.randn(80, 6, generator=torch.Generator().manual_seed(1))
    copies, others = memorization(twice, real[:20], 3), memorization(twice, fresh, 3)
    assert (copies.closer_than_real(), copies.closer_than_training()) == (1, 1)
    assert (others.closer_than_real(), others.closer_than_training()) == (0, 0)
