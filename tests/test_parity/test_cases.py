import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.parity import GoldenCase, find_cases
from tests.parity.cases import state_from_formula
from tests.parity.kinds import kind_of


def case_of(tmp_path, **spec):
    save_file({"in/x": torch.ones(2, dtype=torch.float16)}, tmp_path / "x.safetensors")
    return GoldenCase(tmp_path / "x.safetensors", spec)


@pytest.mark.parametrize(
    ("spec", "peer"),
    [
        ({"peer": "github.com/ajbrock/BigGAN-PyTorch"}, "biggan_pytorch"),
        ({"peer": "PyTorch-StudioGAN"}, "studiogan"),
        ({"peer": "Omni-GAN-PyTorch"}, "omnigan"),
        ({"peer": "Omni-GAN-DGP (Omni-INR-GAN)"}, "omni_inr"),
        ({"version": {"package": "mmagic 1.2.0dev0"}}, "mmagic"),
        ({"peer": "somebody/else"}, "somebody/else"),
        ({}, "unknown"),
    ],
)
def test_the_peer_comes_from_the_description(tmp_path, spec, peer):
    assert case_of(tmp_path, **spec).peer == peer


@pytest.mark.parametrize(
    ("spec", "rtol", "atol"),
    [
        ({}, 1e-4, 2e-5),
        ({"suggested_tolerance": "rtol 1e-3, atol 1e-5 (float32 CPU)"}, 1e-3, 1e-5),
        ({"tolerances_seen": {"suggested_rtol": 1e-6}}, 1e-6, 1e-6),
        ({"tolerances_seen": {"suggested_atol": 3e-5}}, 1e-4, 3e-5),
    ],
)
def test_the_tolerance_comes_from_the_description(tmp_path, spec, rtol, atol):
    found = case_of(tmp_path, **spec).tolerance
    assert (found.rtol, found.atol) == pytest.approx((rtol, atol))


@pytest.mark.parametrize(
    ("constructor", "kind"),
    [
        ({"type": "SNGANGenerator"}, "network"),
        ({"num_svs": 1}, "spectral_norm"),
        ({"ema": {"momentum": 0.1}}, "ema"),
        ({"real_label_val": 1.0}, "losses"),
        ({}, "unknown"),
    ],
)
def test_mmagic_kinds_come_from_the_constructor(tmp_path, constructor, kind):
    assert kind_of(case_of(tmp_path, peer="mmagic", constructor=constructor)) == kind


def test_half_precision_is_widened(tmp_path):
    assert case_of(tmp_path).tensors["in/x"].dtype == torch.float32


def test_a_state_is_rebuilt_from_its_keys():
    text = ["num_batches_tracked: 9", "for the key last.weight times 0.1"]
    keys = {"last.weight": [2, 3], "bn.weight": [4], "bn.num_batches_tracked": []}
    state = state_from_formula({"keys": keys, "text": text})
    # The first values of numpy's generator seeded with crc32(b"last.weight") and crc32(b"bn.weight").
    last = np.random.RandomState(3352628228).standard_normal(6) * np.sqrt(2) / np.sqrt(3) * 0.1
    assert state["last.weight"].flatten().tolist() == pytest.approx(last.tolist(), rel=1e-6)
    assert state["bn.num_batches_tracked"] == 9
    assert state["bn.weight"].shape == (4,)
    assert state["bn.weight"].mean() == pytest.approx(1, abs=0.5)


def test_tables_of_settings_are_no_cases_but_half_cases_are(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "param_counts.json").write_text(json.dumps({"models": []}))
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "deep" / "lonely.json").write_text(json.dumps({"case": "x", "tensors": {}}))
    (tmp_path / "broken.json").write_text("{")
    save_file({"x": torch.zeros(1)}, tmp_path / "deep" / "data.safetensors")
    assert [stem.name for stem in find_cases(tmp_path)] == ["broken", "data", "lonely"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        find_cases(tmp_path / "nowhere")
