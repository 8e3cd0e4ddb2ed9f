"""The metric classes behind the evaluator, on the coloured stand-ins."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmcgan.evaluation import (
    GenerationEvaluator,
    intra_class_fid,
    kernel_distance,
    prdc,
)
from mmcgan.evaluation.metrics import collected
from mmcgan.evaluation.metrics.collected import Collected, take_from_each_class
from mmcgan.evaluation.metrics.pixels import pairs_of_one_condition
from mmcgan.extractors import ExtractorOutput
from mmcgan.registry import EXTRACTORS
from mmcgan.structures import Condition
from tests.test_evaluation.stand_ins import ColourDataset, MeanColour

ROOT = Path(__file__).parents[2]
FEATURE_METRICS = [
    dict(type="FID"),
    dict(type="KID", subsets=0),
    dict(type="PRDC", k=3),
    dict(type="PrecisionRecall"),
    dict(type="SajjadiPrecisionRecall", clusters=4, runs=2),
    dict(type="IntraFID"),
    dict(type="StratifiedFID", groups=dict(warm=[0, 1], cold=[2])),
    dict(type="FIDInfinity", smallest=20, points=3),
    dict(type="Memorization"),
]


@EXTRACTORS.register_module(force=True)
class SpatialColour(MeanColour):
    """Also passes on its 4 x 4 red channel."""

    def __init__(self):
        super().__init__()
        self.spatial_dim = 16

    def encode(self, pixels):
        output = super().encode(pixels)
        return ExtractorOutput(output.features, output.logits, pixels[:, 0].flatten(1))


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def evaluator_of(metrics, extractor="MeanColour", size=60):
    return GenerationEvaluator(
        metrics,
        dict(type=extractor),
        reference=dict(dataset=dict(type="ColourDataset", size=size)),
    )


def run(evaluator, dataset, batch=7, labels=True):
    for rows in torch.arange(len(dataset)).split(batch):
        data = dataset.__getitems__(rows.tolist())
        condition = Condition(label=data["label"]) if labels else Condition()
        evaluator.process([dict(image=data["image"], condition=condition)])
    return evaluator.evaluate(len(dataset))


def test_every_figure_is_that_of_the_features_whatever_the_batches():
    evaluator = evaluator_of(FEATURE_METRICS)
    other = ColourDataset(size=45, seed=3)
    figures = run(evaluator, other)
    real, fake = (evaluator.extractor(d.image).features for d in (ColourDataset(), other))
    assert figures["kid"] == pytest.approx(kernel_distance(real, fake), rel=1e-6)
    for name, value in prdc(real, fake, 3).items():
        assert figures[name] == value
    by_class = intra_class_fid(Collected(real, ColourDataset().label), Collected(fake, other.label))
    assert figures["intra_fid"] == pytest.approx(sum(by_class.values()) / 3, rel=1e-9)
    again = run(evaluator, other, batch=45)
    assert again == pytest.approx(figures, rel=1e-9)


def test_the_training_images_themselves_are_seen_as_copies():
    evaluator = evaluator_of(FEATURE_METRICS)
    figures = run(evaluator, ColourDataset())
    for name in ("fid", "intra_fid", "fid_warm", "fid_cold", "nearest_real"):
        assert figures[name] == pytest.approx(0, abs=1e-6), name
    assert figures["f_8"] == figures["f_1/8"] == pytest.approx(1, abs=1e-6)
    assert figures["memorized"] == 1
    assert figures["closer_than_training"] == 1
    histogram = evaluator.report()["metrics"][-1]["histogram"]
    assert histogram["generated"][0] == 1
    assert sum(histogram["real"]) == pytest.approx(1)
    json.dumps(evaluator.report())


def test_stratified_fid_counts_the_classes_of_the_reference():
    evaluator = evaluator_of([dict(type="StratifiedFID", many=21, few=20)])
    assert list(run(evaluator, ColourDataset(45, seed=3))) == ["fid_few"]
    assert evaluator.report()["metrics"][0]["generated_images"] == {"few": 45}


def test_spatial_fid_sees_what_the_mean_does_not():
    mirrored = ColourDataset()
    mirrored.image = mirrored.image.clone()
    mirrored.image[:, :, :2] //= 2
    mirrored.image[:, :, 2:] = (mirrored.image[:, :, 2:].float() * 1.5).clamp(0, 255).byte()
    evaluator = evaluator_of([dict(type="SpatialFID"), dict(type="FID")], "SpatialColour")
    same = run(evaluator, ColourDataset())
    assert same["spatial_fid"] == pytest.approx(0, abs=1e-6)
    assert run(evaluator, mirrored)["spatial_fid"] > 1
    with pytest.raises(ValueError, match=r"SpatialFID needs spatial features.*'mean-colour' gives none"):
        evaluator_of([dict(type="SpatialFID")])


def test_pairs_share_a_label_and_are_two_images():
    label = torch.tensor([4, 0, 4, 2, 0, 4])
    first, second = pairs_of_one_condition(label, 6, 200, torch.Generator().manual_seed(0))
    assert torch.equal(label[first], label[second])
    assert (first != second).all()
    assert set(first.tolist()) == {0, 1, 2, 4, 5}
    with pytest.raises(ValueError, match="no two of 3 images share a label"):
        pairs_of_one_condition(torch.arange(3), 3, 5, torch.Generator())


class SizedDataset(ColourDataset):
    """Images of 16 pixels."""

    def __init__(self, size=96, seed=0):
        super().__init__(size, seed)
        self.image = self.image.repeat_interleave(4, 2).repeat_interleave(4, 3)


def image_evaluator(metrics):
    return GenerationEvaluator(
        metrics, dict(type="MeanColour", size=16), reference=dict(dataset=SizedDataset())
    )


def test_pixel_metrics():
    evaluator = image_evaluator([dict(type="MSSSIM", pairs=20), dict(type="SWD", max_images=24)])
    collapsed = SizedDataset()
    collapsed.image = collapsed.image[:3].repeat(32, 1, 1, 1)
    figures, single = run(evaluator, SizedDataset(seed=4)), run(evaluator, collapsed)
    assert single["ms_ssim"] == pytest.approx(1, abs=1e-6)
    assert figures["ms_ssim"] < 0.9
    assert single["swd"] > figures["swd"] > 0
    assert figures["swd"] == figures["swd_16"]


def test_classification_accuracy_score_goes_both_ways():
    evaluator = image_evaluator([dict(type="ClassificationAccuracyScore", epochs=4)])
    generated = SizedDataset(size=160, seed=4)
    figures = run(evaluator, generated, 32)
    assert set(figures) == {"cas", "cas_reverse"}
    generated.label = (generated.label + 1) % 3
    wrong = run(evaluator, generated, 32)
    assert wrong["cas"] < figures["cas"]


def test_lpips_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(ImportError, match=r"pip install 'mmcgan\[metrics\]'"):
        evaluator_of([dict(type="LPIPSDiversity")])


@pytest.mark.parametrize(
    ("config", "phrase"),
    [
        (dict(type="KID", subset_size=1), "subset_size=1"),
        (dict(type="PRDC", k=0), "k must be at least 1, got 0"),
        (dict(type="PRDC", max_images=1), "max_images must be at least 2"),
        (dict(type="StratifiedFID", groups=dict(a=[])), "group 'a' has no labels"),
        (dict(type="StratifiedFID", groups=dict(a=[1]), class_counts=[3]), "one of them"),
        (dict(type="FIDInfinity", points=1), "cannot take 1 sizes"),
        (dict(type="SajjadiPrecisionRecall", runs=0), "runs=0"),
        (dict(type="Memorization", share=2.0), "share must lie between 0 and 1"),
        (dict(type="LPIPSDiversity", network="resnet"), "choose one of alex, vgg, squeeze"),
        (dict(type="ClassificationAccuracyScore", epochs=0), "epochs must be at least 1"),
    ],
)
def test_mistakes_are_named_before_any_image_is_made(config, phrase):
    with pytest.raises(ValueError, match=phrase):
        evaluator_of([config])


@pytest.mark.parametrize(
    ("config", "count", "phrase"),
    [
        (dict(type="KID", subset_size=50), 40, "100 subsets of 50 from 60 real and 40 generated"),
        (dict(type="PRDC", k=5), 5, "k=5 nearest neighbours need more than 5"),
        (dict(type="IntraFID"), 5, r"too few in 1 classes: 2 \(20 real, 1 generated\)"),
        (
            dict(type="StratifiedFID", groups=dict(blue=[2])),
            5,
            "group 'blue' has 1 generated images; a covariance needs at least 2",
        ),
        (dict(type="FIDInfinity", smallest=60, points=3), 45, "generate more images, or lower smallest"),
    ],
)
def test_too_few_images_are_named(config, count, phrase):
    with pytest.raises(ValueError, match=phrase):
        run(evaluator_of([config]), ColourDataset(count))


def test_labels_that_are_missing_are_named():
    with pytest.raises(ValueError, match="IntraFID: the images were generated without labels"):
        run(evaluator_of([dict(type="IntraFID")]), ColourDataset(9), labels=False)


TWO_RANKS = """
import json, os, sys
import torch, torch.distributed as dist
from tests.test_evaluation.test_metric_classes import FEATURE_METRICS, evaluator_of
from tests.test_evaluation.stand_ins import ColourDataset
from mmcgan.structures import Condition
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
evaluator, data = evaluator_of(FEATURE_METRICS), ColourDataset(size=45, seed=3)
for start in range(rank, 45, 10):
    rows = torch.arange(start, min(start + 10, 45), 2)
    evaluator.process([dict(image=data.image[rows], condition=Condition(label=data.label[rows]))])
figures = evaluator.evaluate(45)
if rank == 0:
    print("FIGURES" + json.dumps(figures))
dist.destroy_process_group()
"""


@pytest.mark.broad
def test_two_processes_give_the_figures_of_one(tmp_path):
    command = [sys.executable, "-c", TWO_RANKS]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), str(tmp_path / "meeting")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    output = [process.communicate(timeout=120)[0] for process in ranks]
    figures = json.loads(output[0].split("FIGURES")[1])
    single = run(evaluator_of(FEATURE_METRICS), ColourDataset(size=45, seed=3))
    assert figures == pytest.approx(single, rel=1e-9, abs=1e-12)


def test_large_sets_of_real_images_give_the_same_intra_fid(monkeypatch):
    generated = ColourDataset(45, seed=3)
    expected = run(evaluator_of([dict(type="IntraFID")], size=200), generated)
    monkeypatch.setattr(collected, "SHARED_BYTES", 0)
    evaluator = evaluator_of([dict(type="IntraFID")], size=200)
    assert run(evaluator, generated) == pytest.approx(expected, rel=1e-9)
    assert evaluator.reference not in collected._REAL_FEATURES
    passes = evaluator.extractor.passes
    run(evaluator, generated, batch=45)
    assert evaluator.extractor.passes == passes + 1, "the real images are seen once for all evaluations"


def test_the_first_images_of_each_class_are_taken_across_batches():
    label, left = torch.tensor([2, 0, 2, 2, 0, 3]), torch.tensor([1, 5, 3])
    rows = [take_from_each_class(part, left).tolist() for part in label.split(2)]
    assert rows == [[0, 1], [0, 1], []]
    assert left.tolist() == [0, 5, 0]


def test_lpips_without_its_weights_says_which_file_and_from_where():
    pytest.importorskip("lpips", reason="the package lpips is not installed (pip install mmcgan[metrics])")
    with pytest.raises(FileNotFoundError, match=r"fetch alexnet-owt-7be5be79\.pth from .*7be5be79.*MSSSIM"):
        evaluator_of([dict(type="LPIPSDiversity")])


def test_lpips_diversity_of_random_weights(monkeypatch, tmp_path):
    pytest.importorskip("lpips", reason="the package lpips is not installed (pip install mmcgan[metrics])")
    from torchvision.models import squeezenet1_1

    path = tmp_path / "squeeze.pth"
    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).state_dict(), path)
    with pytest.raises(ValueError, match="expected b8a52dc0"):
        evaluator_of([dict(type="LPIPSDiversity", network="squeeze", weights=str(path))])
    monkeypatch.setattr("mmcgan.extractors.weight_files.check_sha256", lambda *arguments: "")
    metric = dict(type="LPIPSDiversity", network="squeeze", weights=str(path), pairs=4)
    evaluator = image_evaluator([metric])
    large = SizedDataset(12)
    large.image = large.image.repeat(1, 1, 4, 4)
    assert run(evaluator, large)["lpips_diversity"] > 0
    large.image[:] = large.image[:1]
    assert run(evaluator, large)["lpips_diversity"] == 0
