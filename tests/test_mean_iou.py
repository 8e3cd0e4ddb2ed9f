import pytest
import torch

from mmcgan.mean_iou import confusion_matrix, iou_per_class, mean_iou

TARGET = torch.tensor([[0, 0, 1], [1, 255, 2]])
PREDICTED = torch.tensor([[0, 1, 1], [1, 2, 0]])


def test_counts_by_hand():
    confusion = confusion_matrix(PREDICTED, TARGET, 4)
    assert confusion.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    per_class = iou_per_class(confusion)
    assert per_class[:3].tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert per_class[3].isnan()
    assert mean_iou(confusion) == pytest.approx(1 / 3), "a class that never occurs does not count"


def test_batches_add_up():
    generator = torch.Generator().manual_seed(0)
    predicted, target = (torch.randint(0, 5, (6, 8, 8), generator=generator) for _ in range(2))
    parts = [confusion_matrix(p, t, 5) for p, t in zip(predicted.split(2), target.split(2), strict=True)]
    assert torch.equal(sum(parts), confusion_matrix(predicted, target, 5))
    assert mean_iou(confusion_matrix(target, target, 5)) == 1


def test_every_pixel_can_count():
    with pytest.raises(ValueError, match=r"target labels span 0\.\.255, classes 0\.\.3"):
        confusion_matrix(PREDICTED, TARGET, 4, ignore_label=None)
    assert int(confusion_matrix(PREDICTED, PREDICTED, 3, ignore_label=None).sum()) == 6


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"differ in shape: \(2, 3\), \(3,\)"):
        confusion_matrix(PREDICTED, TARGET[0], 4)
    with pytest.raises(ValueError, match=r"predicted labels span 0\.\.2, classes 0\.\.1"):
        confusion_matrix(PREDICTED, TARGET.clamp_max(1), 2)
    with pytest.raises(ValueError, match="no pixels were counted"):
        mean_iou(torch.zeros(3, 3))
