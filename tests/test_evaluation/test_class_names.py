"""Numbers of classes mean the same on both sides, or nothing is computed."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmcgan.apis.folders import evaluate_folders
from mmcgan.attributes import AttributeGroups
from mmcgan.class_names import Classes, matching, require_same
from mmcgan.datasets.base import MemoryDataset
from mmcgan.engine.same_classes import class_places
from mmcgan.evaluation import (
    AttributeAccuracy,
    ClassificationAccuracyScore,
    ConditionalAccuracy,
    GenerationEvaluator,
    IntraFID,
    MIoU,
    StratifiedFID,
)
from mmcgan.extractors import ExtractorOutput
from mmcgan.extractors.base import Extractor, Preprocessing
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import MeanColour
from tests.test_evaluation.test_semantic import Sees, picture

COLOURS = ("red", "green", "blue")
CHANGED = {
    "renamed": (("red", "green", "azure"), 3),
    "other names": (("0", "1", "2"), 3),
    "fewer": (("red", "green"), 2),
    "more": ((*COLOURS, "white"), 4),
    "fewer, no names": ((), 2),
    "more, no names": ((), 10),
}


def colours(count, order=COLOURS, seed=0):
    """Noisy images, the label of each is the place of its colour in ``order``."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(count, 3, 4, 4, generator=generator)
    channel = torch.arange(count) % 3
    image[torch.arange(count), channel] += 1
    label = torch.tensor([order.index(COLOURS[int(c)]) for c in channel])
    return (image * 127).to(torch.uint8), label


def evaluated(metric, asked, count=3, real=COLOURS, seed=1):
    """Figures of one metric; ``asked`` and ``real`` are the orders of the classes of both sides."""
    reference = MemoryDataset(*colours(60, real), real)
    config = dict(type=type(metric).__name__, **metric.settings_of_test)
    evaluator = GenerationEvaluator([config], MeanColour(), dict(dataset=reference), overlap=False)
    evaluator.dataset_meta = dict(size=60, num_classes=count, classes=asked)
    image, label = colours(60, asked if len(asked) == 3 else COLOURS, seed)
    evaluator.process([dict(image=image, condition=Condition(label=label))])
    return evaluator.evaluate(60)


class Case:
    def __init__(self, name, **settings):
        self.__class__ = type(name, (Case,), {})
        self.settings_of_test = settings


METRICS = [
    Case("ConditionalAccuracy"),
    Case("IntraFID"),
    Case("StratifiedFID", groups={"one": [0], "others": [1, 2]}),
    Case("ClassificationAccuracyScore", epochs=1),
]
NAMES = [type(metric).__name__ for metric in METRICS]


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_another_order_of_the_same_names_gives_the_same_figures(metric):
    expected = evaluated(metric, COLOURS)
    assert evaluated(metric, ("blue", "red", "green")) == pytest.approx(expected)


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_other_classes_are_refused_before_an_image_is_made(metric, change):
    names, count = CHANGED[change]
    reference = MemoryDataset(*colours(60), COLOURS)
    config = dict(type=type(metric).__name__, **metric.settings_of_test)
    evaluator = GenerationEvaluator([config], MeanColour(), dict(dataset=reference))
    with pytest.raises(ValueError, match=rf"{type(metric).__name__}: .* has {count} classes.*not the same"):
        evaluator.dataset_meta = dict(size=60, num_classes=count, classes=names)


@pytest.mark.parametrize("metric", METRICS, ids=NAMES)
def test_without_names_counts_decide(metric):
    reference = MemoryDataset(*colours(60), COLOURS)
    config = dict(type=type(metric).__name__, **metric.settings_of_test)
    evaluator = GenerationEvaluator([config], MeanColour(), dict(dataset=reference))
    evaluator.dataset_meta = dict(size=60, num_classes=3)


def test_intra_fid_follows_a_reference_in_another_order():
    expected = evaluated(METRICS[1], COLOURS)
    found = evaluated(METRICS[1], COLOURS, real=("green", "blue", "red"))
    assert found == pytest.approx(expected)


def test_class_folders_are_matched_by_name(tmp_path):
    image, label = colours(60)
    for side in ("real", "fake"):
        for row in range(60):
            folder = tmp_path / side / COLOURS[int(label[row])]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(image[row].permute(1, 2, 0))).save(folder / f"{row}.png")
    given = (dict(type="MeanColour"), ["accuracy"])
    # sorted, the folders are blue, green, red; the classifier's order is another
    report = evaluate_folders(tmp_path / "real", tmp_path / "fake", *given, labelled=True)
    assert report["figures"] == {"conditional_accuracy": 1.0}
    for side in ("real", "fake"):
        (tmp_path / side / "blue").rename(tmp_path / side / "azure")
    with pytest.raises(ValueError, match="only the first has azure; only the second has blue"):
        evaluate_folders(tmp_path / "real", tmp_path / "fake", *given, labelled=True)


def test_classes_of_pixels_are_matched_by_name():
    asked = torch.tensor([[[0, 0, 1, 2]] * 4])
    order = ("car", "sky", "road")
    number = torch.tensor([order.index(name) for name in ("sky", "road", "car")])
    figures = []
    for names, maps in ((("sky", "road", "car"), asked), (order, number[asked])):
        metric = MIoU()
        metric.prepare(Sees(), None)
        metric.expect(dict(num_map_classes=3, map_classes=names))
        metric.update(Sees()(picture(asked)), Condition(label_map=maps))
        figures.append(metric.compute())
    assert figures[0] == figures[1] == {"miou": 1.0, "pixel_accuracy": 1.0}
    for names, count in ((("sky", "road", "bus"), 3), ((), 4), (("sky", "road"), 2)):
        with pytest.raises(ValueError, match=r"MIoU: .*not the same classes"):
            metric.expect(dict(num_map_classes=count, map_classes=names))


def test_a_class_that_does_not_count_needs_no_match():
    metric = MIoU(ignore_label=3)
    metric.prepare(Sees(), None)
    metric.expect(dict(num_map_classes=4, map_classes=("sky", "road", "car", "don't care")))
    asked = torch.tensor([[[0, 1, 2, 3]] * 4])
    metric.update(Sees()(picture(asked.clamp(max=2))), Condition(label_map=asked))
    assert metric.compute()["pixel_accuracy"] == 1.0


class Shape(Extractor):
    """Classifies attributes: the first three pixels of the red channel are the logits."""

    def __init__(self, groups):
        super().__init__("shape", Preprocessing(4))
        self.feature_dim = 3
        self.groups = AttributeGroups.from_config(groups)
        self.num_classes = len(self.groups)

    def encode(self, pixels):
        return ExtractorOutput(pixels.mean(dim=(2, 3)), pixels[:, 0, 0, :3])


def test_attributes_are_matched_by_group_and_name():
    known = {"size": ["small", "large"], "extras": {"any_of": ["hat"]}}
    wanted = torch.tensor([[1.0, 0, 1], [0, 1, 0], [1, 1, 0]])  # hat, small, large: groups are sorted
    images = torch.zeros(3, 3, 4, 4, dtype=torch.uint8)
    images[:, 0, 0, :3] = (wanted * 255).to(torch.uint8)
    figures = []
    turned = {"extras": {"any_of": ["hat"]}, "size": ["large", "small"]}
    for asked, order in ((known, [0, 1, 2]), (turned, [0, 2, 1])):
        metric = AttributeAccuracy()
        extractor = Shape(known)
        metric.prepare(extractor, None)
        metric.expect(dict(attributes=asked))
        metric.update(extractor(images), Condition(attributes=wanted[:, order]))
        figures.append(metric.compute()["attribute_accuracy"])
    assert figures == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"not those of the classifier.*tall"):
        metric.expect(dict(attributes={"size": ["small", "tall"], "extras": {"any_of": ["hat"]}}))


def test_where_nothing_can_be_renumbered_another_order_is_refused():
    ours, theirs = Classes("A", 3, ("c", "b", "a")), Classes("B", 3, ("c", "a", "b"))
    with pytest.raises(ValueError, match="in another order: number 1 is 'b' of the first and 'a'"):
        require_same(ours, theirs)
    require_same(ours, ours)
    require_same(Classes("A", 3), theirs)
    with pytest.raises(ValueError, match="not the same classes"):
        require_same(Classes("A", 2), theirs)


def test_names_that_file_systems_write_otherwise_are_the_same():
    composed, apart = ("caf\u00e9", "t\u00e9"), ("te\u0301", "cafe\u0301")
    assert matching(Classes("A", 2, composed), Classes("B", 2, apart)) == [1, 0]
    assert matching(Classes("A", 2, composed), Classes("B", 2, apart[::-1])) is None
    before, now = {"classes": composed}, {"classes": apart}
    assert class_places(before, now, "x", True, False)[0] == [1, 0]
    with pytest.raises(ValueError, match="not the same classes"):  # case is not spelling
        matching(Classes("A", 1, ("Cat",)), Classes("B", 1, ("cat",)))


def test_matching_by_hand():
    ours, theirs = Classes("A", 2, ("b", "a")), Classes("B", 2, ("a", "b"))
    assert matching(ours, theirs) == [1, 0]
    assert matching(ours, ours) is None
    assert matching(Classes("A", None), theirs) is None
    assert matching(Classes("A", 2), theirs) is None


def test_these_are_all_metrics_that_need_labels():
    from mmcgan.registry import GENERATION_METRICS

    needing = {name for name in GENERATION_METRICS.names() if GENERATION_METRICS.get(name).needs_labels}
    ours = {name for name in needing if GENERATION_METRICS.get(name).__module__.startswith("mmcgan.")}
    assert ours == set(NAMES)
    matched = (ConditionalAccuracy, IntraFID, StratifiedFID, ClassificationAccuracyScore)
    matched += (MIoU, AttributeAccuracy)
    assert all("expect" in vars(kind) for kind in matched)
