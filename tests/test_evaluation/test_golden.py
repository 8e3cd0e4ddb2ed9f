"""The peers' own numbers for FID and Inception Score."""

import os
from pathlib import Path

import pytest
from safetensors.torch import load_file

from mmcgan.evaluation import StreamingMoments, frechet_distance, inception_score

GOLDEN = Path(os.environ.get("MMCGAN_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not found (set MMCGAN_GOLDEN)")


def load(peer, case):
    return load_file(GOLDEN / peer / f"{peer}__{case}.safetensors")


def fid(first, second):
    pair = []
    for features in (first, second):
        stream = StreamingMoments()
        for part in features.split(50):
            stream.update(part)
        statistics = stream.compute()
        pair += [statistics.mean, statistics.covariance]
    return frechet_distance(*pair)


def check_pair(case, real, fake, whole, cut, few_are_real):
    assert fid(real, fake) == pytest.approx(float(case[f"out/{whole}"]), rel=1e-6)
    few = (real if few_are_real else fake)[: real.shape[1] // 2]
    pair = (few, fake) if few_are_real else (real, few)
    assert fid(*pair) == pytest.approx(float(case[f"out/{cut}"]), rel=1e-5)


def test_frechet_of_biggan_pytorch():
    case = load("biggan_pytorch", "frechet")
    check_pair(case, case["in/feats_a"], case["in/feats_b"], "fid_numpy64", "fid_numpy64_singular_a", True)


def test_frechet_of_studiogan():
    case = load("studiogan", "metric_fid_prdc")
    check_pair(
        case, case["in/real_feats"], case["in/fake_feats"], "fid_all_float64", "fid_rank_deficient", False
    )


def test_frechet_of_mmagic():
    case = load("mmagic", "metrics")
    assert fid(case["in/real_feats"], case["in/fake_feats"]) == pytest.approx(
        float(case["out/fid"][0]), rel=1e-6
    )


@pytest.mark.parametrize("splits", [1, 5, 10])
def test_inception_score_of_biggan_pytorch(splits):
    case = load("biggan_pytorch", "inception_score")
    expected = case[f"out/mean_std_splits{splits}"].tolist()
    assert inception_score(case["in/pred"], splits) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("splits", [5, 10])
def test_inception_score_of_studiogan(splits):
    case = load("studiogan", "metric_inception_score")
    score = inception_score(case["in/probs"], splits, remainder="spread", ddof=1)
    assert score == pytest.approx(case[f"out/is_splits{splits}"].tolist(), rel=1e-5)


def test_inception_score_of_mmagic():
    case = load("mmagic", "metrics")
    assert inception_score(case["in/probs"][:64], 4) == pytest.approx(case["out/is"].tolist(), rel=1e-5)
