"""Figures of other packages over the same features; a package that is not installed is skipped."""

import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from mmcgan.apis.folders import evaluate_folders
from mmcgan.datasets import ImageFolder
from mmcgan.evaluation import (
    feature_frechet_distance,
    improved_precision_recall,
    inception_score,
    kernel_distance,
    prdc,
)
from mmcgan.evaluation.metrics.similarity import ms_ssim, psnr, ssim
from mmcgan.evaluation.statistics.reference import Reference, save_foreign_statistics
from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.registry import EXTRACTORS
from tests.test_datasets.image_files import picture, save

pytestmark = pytest.mark.slow
WIDTH = 256


def features(count, seed, shift=0.0):
    """Correlated, not negative, spread over several decades: like those of a network."""
    mix = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(7))
    mix = mix * torch.logspace(0, -3, WIDTH)
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 40, generator=generator) @ mix + shift
    return (points + 0.01 * torch.randn(count, WIDTH, generator=generator)).relu()


@pytest.fixture(scope="module")
def pair():
    return features(3000, 1), features(2500, 2, 0.2)


def package(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def test_prdc(pair):
    theirs = package("prdc").compute_prdc(*(value.numpy() for value in pair), nearest_k=5)
    assert prdc(*pair, 5) == {name: float(value) for name, value in theirs.items()}


def test_frechet_distance_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(value.double()) for value in pair]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert feature_frechet_distance(*pair) == pytest.approx(theirs, rel=1e-6)


def test_frechet_distance_of_clean_fid(pair):
    package("cleanfid")
    from cleanfid.fid import fid_from_feats

    theirs = fid_from_feats(*(value.double().numpy() for value in pair))
    assert feature_frechet_distance(*pair) == pytest.approx(theirs, rel=1e-6)


def test_frechet_distance_of_torchmetrics(pair):
    package("torchmetrics")
    from torchmetrics.image.fid import _compute_fid

    statistics = [part for x in pair for part in (x.double().mean(0), torch.cov(x.double().T))]
    assert feature_frechet_distance(*pair) == pytest.approx(float(_compute_fid(*statistics)), rel=1e-6)


def test_kernel_distance_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_kid import kernel_mmd

    settings = dict(kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None)
    subset = [value[:2000].double() for value in pair]
    theirs = kernel_mmd(*(value.numpy() for value in subset), **settings, kid_kernel_poly_coef0=1)
    assert kernel_distance(*subset) == pytest.approx(float(theirs), rel=1e-9)


def test_kernel_distance_of_torchmetrics(pair):
    package("torchmetrics")
    from torchmetrics.image.kid import poly_mmd

    subset = [value[:2000].double() for value in pair]
    assert kernel_distance(*subset) == pytest.approx(float(poly_mmd(*subset)), rel=1e-9)


def test_kernel_distance_of_clean_fid(pair):
    package("cleanfid")
    from cleanfid import fid

    subset = [value[:900].double() for value in pair]  # one subset of everything: no draw is left
    theirs = fid.kernel_distance(*(value.numpy() for value in subset), num_subsets=1)
    assert kernel_distance(*subset) == pytest.approx(theirs, rel=1e-9)


def test_improved_precision_and_recall_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    real, fake = pair
    theirs = calculate_precision_recall_full(fake.double(), real.double(), neighborhood=3)
    assert improved_precision_recall(real.double(), fake.double(), 3) == pytest.approx(theirs, abs=1e-3)


def test_inception_score_of_torch_fidelity():
    package("torch_fidelity")
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = 3 * torch.randn(4000, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    expected = [theirs[f"inception_score_{name}"] for name in ("mean", "std")]
    assert inception_score(logits.softmax(1), 10) == pytest.approx(expected, rel=1e-9)


def test_images_of_torchmetrics():
    package("torchmetrics")
    from torchmetrics.functional import image as theirs

    generator = torch.Generator().manual_seed(0)
    first = torch.rand(2, 3, 192, 192, generator=generator, dtype=torch.float64)
    second = (first + 0.1 * torch.randn(first.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)
    one, other = first[:1], second[:1]
    expected = float(theirs.peak_signal_noise_ratio(other, one, data_range=1.0))
    assert float(psnr(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-6)
    expected = float(theirs.structural_similarity_index_measure(other, one, data_range=1.0))
    # torchmetrics pads the borders and cuts them off again: the same places are averaged
    assert float(ssim(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-3)
    expected = float(theirs.multiscale_structural_similarity_index_measure(other, one, data_range=1.0))
    assert float(ms_ssim(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-2)


# --- statistics that we write, read by their own code -----------------------------------------------------


def coarse_colours(pixels):
    """Features (N, 48) of images in 0..255: a network that both sides can have without a download."""
    return F.adaptive_avg_pool2d(pixels, 4).flatten(1)


@EXTRACTORS.register_module(force=True)
class CoarseColours(Extractor):
    """The same features as an extractor of ours, at the size and with the resizing of clean-fid."""

    def __init__(self) -> None:
        super().__init__("coarse-colours", Preprocessing(299, "clean", (0.0,) * 3, (1 / 255,) * 3))
        self.feature_dim, self.num_classes = 48, None
        self.freeze()

    def encode(self, pixels):
        """Return the features."""
        return ExtractorOutput(coarse_colours(pixels))


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    root = tmp_path_factory.mktemp("sides")
    for side, count, start in (("real", 70, 0), ("fake", 60, 1000)):
        for number in range(count):
            save(root / side / f"{number:03d}.png", picture(24, 24, seed=start + number))
    return root / "real", root / "fake"


@pytest.fixture(scope="module")
def written(sides, tmp_path_factory):
    """Our files of both sides, and the distance of ours."""
    folder = tmp_path_factory.mktemp("written")
    paths = []
    for side in sides:
        reference = Reference(ImageFolder(str(side), 24, labelled=False), CoarseColours(), keep=False)
        paths.append(folder / f"{side.name}.npz")
        save_foreign_statistics(paths[-1], reference.statistics())
    return paths, evaluate_folders(*sides, dict(type="CoarseColours"), ["fid"])["figures"]["fid"]


def test_pytorch_fid_reads_what_we_write(written, monkeypatch):
    package("pytorch_fid")
    from pytorch_fid import fid_score

    class NoDownload(torch.nn.Module):
        """Stands in for the network: both paths are statistics, so that nothing passes through it."""

        BLOCK_INDEX_BY_DIM = fid_score.InceptionV3.BLOCK_INDEX_BY_DIM

        def __init__(self, blocks) -> None:
            super().__init__()

    monkeypatch.setattr(fid_score, "InceptionV3", NoDownload)
    paths, ours = written
    theirs = fid_score.calculate_fid_given_paths([str(path) for path in paths], 50, "cpu", 2048, 0)
    print(f"pytorch-fid {float(theirs):.12g}, ours {ours:.12g}")
    assert ours == pytest.approx(float(theirs), rel=1e-6)


def test_clean_fid_reads_what_we_write(written, sides, tmp_path):
    package("cleanfid")
    import cleanfid.fid

    place = (
        Path(cleanfid.__file__).parent
        / "stats"
        / f"{tmp_path.parent.name}-mmcgan_clean_custom_na.npz".lower()
    )
    place.parent.mkdir(exist_ok=True)
    paths, ours = written
    shutil.copy(paths[0], place)
    try:
        theirs = cleanfid.fid.compute_fid(
            str(sides[1]),
            dataset_name=place.name.removesuffix("_clean_custom_na.npz"),
            dataset_split="custom",
            mode="clean",
            device=torch.device("cpu"),
            num_workers=0,
            custom_feat_extractor=coarse_colours,
            verbose=False,
        )
    finally:
        place.unlink()
    print(f"clean-fid {float(theirs):.12g}, ours {ours:.12g}")
    assert ours == pytest.approx(float(theirs), rel=1e-6)
