import pytest
import torch

from mmcgan.evaluation.metrics.semantic import MIoU
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.structures import Condition


class Sees(Extractor):
    """Takes the red channel for the label map."""

    def __init__(self, pixel_classes=3):
        super().__init__("sees", Preprocessing(4))
        self.feature_dim = 3
        self.pixel_classes = pixel_classes
        self.classes = ("sky", "road", "car")

    def encode(self, pixels):
        """Return the map that the image is made of."""
        return ExtractorOutput(pixels.mean(dim=(2, 3)), label_map=((pixels[:, 0] + 1) * 127.5).round().long())


def picture(label_map):
    return label_map[:, None].expand(-1, 3, -1, -1).to(torch.uint8)


def evaluated(seen, asked, **options):
    metric = MIoU(**options)
    metric.prepare(Sees(), None)
    for one, other in zip(seen, asked, strict=True):  # counts of batches add up
        metric.update(Sees()(picture(one[None])), Condition(label_map=other[None]))
    metric.merge()
    return metric


def test_figures_of_a_case_worked_by_hand():
    asked = torch.tensor([[[0, 0, 1, 1]] * 4, [[0, 0, 0, 2]] * 4])
    seen = torch.tensor([[[0, 1, 1, 1]] * 4, [[0, 0, 0, 1]] * 4])
    figures = evaluated(seen, asked, per_class=True).compute()
    # rows of 4: sky 4 of 5, road 2 of 4, car 0 of 1
    assert figures["miou"] == pytest.approx((4 / 5 + 2 / 4 + 0) / 3)
    assert figures["pixel_accuracy"] == pytest.approx(6 / 8)
    assert figures["miou/road"] == pytest.approx(0.5)
    ignoring = evaluated(seen, asked, ignore_label=2)
    assert ignoring.compute()["pixel_accuracy"] == pytest.approx(6 / 7)
    assert "car" not in ignoring.details()["per_class"]


def test_reset_forgets():
    ones = torch.ones(1, 4, 4, dtype=torch.int64)
    metric = evaluated(ones, ones)
    metric.reset()
    with pytest.raises(ValueError, match="no pixels were counted"):
        metric.compute()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (None, "generated without label maps; evaluate with dataset=dict.type='LabelMapConditions'"),
        (torch.full((1, 4, 4), 7), r"label maps ask for the ids \[7\], the segmentation network knows 0..2"),
        (
            torch.zeros(1, 2, 4, dtype=torch.int64),
            r"images of \(4, 4\) were made from label maps of \(2, 4\)",
        ),
    ],
)
def test_maps_that_cannot_be_compared(asked, message):
    metric = MIoU()
    metric.prepare(Sees(), None)
    output = Sees()(picture(torch.zeros(1, 4, 4, dtype=torch.int64)))
    with pytest.raises(ValueError, match=message):
        metric.update(output, Condition(label_map=asked))


def test_an_extractor_without_label_maps_is_refused_before_work():
    with pytest.raises(ValueError, match="MIoU needs label maps; the extractor 'sees' gives none"):
        MIoU().prepare(Sees(pixel_classes=None), None)
