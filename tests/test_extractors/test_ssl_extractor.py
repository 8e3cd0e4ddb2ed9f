"""Extractors of instance features: trained without labels, or from the optional package."""

import importlib.util
import json

import pytest
import torch
from sklearn.datasets import load_sample_image

from mmcgan.extractor_training.train_ssl import SSLOptions, contrastive_loss, train_ssl_extractor
from mmcgan.extractors import EfficientNetLite0, SelfSupervisedExtractor
from mmcgan.extractors.efficientnet import PACKAGE
from mmcgan.registry import DATASETS


def test_the_loss_is_that_of_simclr():
    first, second = torch.nn.functional.normalize(torch.randn(2, 3, 5), dim=2)
    both = torch.cat([first, second])
    expected = 0.0
    for i in range(6):
        others = [j for j in range(6) if j != i]
        logits = torch.stack([both[i] @ both[j] for j in others]) / 0.5
        expected -= torch.log_softmax(logits, 0)[others.index((i + 3) % 6)] / 6
    torch.testing.assert_close(contrastive_loss(first, second, 0.5), expected)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    dataset = DATASETS.build(dict(type="DigitsDataset", image_size=8))
    options = SSLOptions(widths=(8, 16, 16), epochs=2, batch_size=128, image_size=8)
    out = tmp_path_factory.mktemp("ssl") / "digits.safetensors"
    losses = []
    record = train_ssl_extractor(
        dataset, options, out, "command", lambda *state: losses.append(state[2]), compare=False
    )
    return out, record, losses, dataset


def test_training_brings_copies_of_an_image_together(trained):
    _, _, losses, _ = trained
    assert sum(losses[-3:]) < sum(losses[:3]) - 0.3


def test_the_file_is_an_extractor(trained):
    out, record, _, dataset = trained
    extractor = SelfSupervisedExtractor(str(out))
    images = dataset.__getitems__([1, 2])["image"]
    assert extractor(images).features.shape == (2, 16) and extractor(images).logits is None
    assert extractor.feature_dim == 16 and extractor.name == "ssl:digits"
    assert json.loads(out.with_suffix(".json").read_text())["command"] == record["command"] == "command"
    assert torch.equal(extractor(images).features, SelfSupervisedExtractor(str(out))(images).features)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"junk")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        SelfSupervisedExtractor(str(tmp_path / "a.safetensors"))
    with pytest.raises(FileNotFoundError, match="train-ssl-extractor"):
        SelfSupervisedExtractor(str(tmp_path / "b.safetensors"))


def test_too_few_images_are_refused(tmp_path):
    dataset = DATASETS.build(dict(type="SyntheticImages", num_classes=0, image_size=8, size=10))
    with pytest.raises(ValueError, match="10 images do not fill one batch of 256"):
        train_ssl_extractor(dataset, SSLOptions(), tmp_path / "a.safetensors", "")


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="mmcgan[weights] is not installed")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_efficientnet_recognises_a_palace_and_a_daisy(precision):
    images = [torch.from_numpy(load_sample_image(f"{name}.jpg").copy()) for name in ("china", "flower")]
    images = torch.stack([image.permute(2, 0, 1)[:, 3:423, 110:530] for image in images])
    output = EfficientNetLite0(precision=precision)(images)
    assert output.logits.argmax(1).tolist() == [698, 985]
    assert output.features.shape == (2, 1280)


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is not None, reason="mmcgan[weights] is installed")
def test_efficientnet_says_what_to_install():
    with pytest.raises(ImportError, match=r"mmcgan\[weights\]"):
        EfficientNetLite0()


def test_priming_moves_the_statistics_of_the_stages_one_step_towards_an_image_of_zeros():
    plain, primed = (EfficientNetLite0(pretrained=False, primed=primed) for primed in (False, True))
    before, after = (network.state_dict() for network in (plain, primed))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert {key.rpartition(".")[2] for key in moved} <= {"running_mean", "running_var", "num_batches_tracked"}
    assert not [key for key in moved if ".bn2." in key and "blocks" not in key]  # behind the last map
    # the stem of zeros is zero everywhere: a mean of 0 stays, a variance of 1 loses a tenth
    torch.testing.assert_close(after["network.bn1.running_var"], torch.full((32,), 0.9))
    assert primed.weights_hash != plain.weights_hash
    assert not primed.training and not any(p.requires_grad for p in primed.parameters())
