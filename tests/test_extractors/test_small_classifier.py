import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcgan import weights
from mmcgan.extractors import SmallClassifier
from mmcgan.extractors.classifier_file import load_classifier
from mmcgan.extractors.segmentation_network import SegmentationNetwork
from mmcgan.extractors.small_network import ResidualStage, SmallNetwork
from mmcgan.registry import DATASETS, EXTRACTORS

NAMES = sorted(weights.read_index("classifier"))


def real_accuracy(name, precision="float32", limit=None):
    extractor = SmallClassifier(name, precision)
    config = dict(extractor.record.dataset, split="test")
    try:
        dataset = DATASETS.build(config)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    rows = torch.arange(len(dataset))[:limit]
    hits = 0
    for part in rows.split(500):
        batch = dataset.__getitems__(part.tolist())
        hits += int((extractor(batch["image"]).logits.argmax(1) == batch["label"]).sum())
    return hits / len(rows)


def test_digits_on_all_real_test_images():
    record = weights.read_index()["digits-16"]
    accuracy = real_accuracy("digits-16")
    assert accuracy >= 0.97
    assert accuracy == pytest.approx(record["test_accuracy"], abs=0.003)


@pytest.mark.broad
def test_fashion_mnist_on_all_real_test_images():
    record = weights.read_index()["fashion-mnist-32"]
    accuracy = real_accuracy("fashion-mnist-32", precision="bfloat16")  # three times faster
    assert accuracy >= 0.91
    assert accuracy == pytest.approx(record["test_accuracy"], abs=0.003)


@pytest.mark.parametrize("name", NAMES)
def test_index_and_file_agree(name):
    record = weights.read_index()[name]
    path = weights.weight_path(name)
    network, inside = load_classifier(path)
    assert path.stat().st_size < 500_000
    assert (inside.command, inside.seed, inside.dataset) == (
        record["command"],
        record["seed"],
        record["dataset"],
    )
    assert round(inside.test_accuracy, 4) == record["test_accuracy"]
    assert inside.command == f"tools/train_classifier.py {name} --out mmcgan/weights/{record['file']}"
    assert network.num_classes == len(inside.classes) == record["num_classes"]


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_gives_the_same_features(name):
    image = torch.randint(0, 256, (16, 3, 20, 20), generator=torch.Generator().manual_seed(0)).byte()
    exact, fast = (SmallClassifier(name, precision)(image) for precision in ("float32", "bfloat16"))
    assert exact.features.dtype == fast.features.dtype == torch.float32
    assert torch.cosine_similarity(exact.features, fast.features).min() > 0.9999
    assert exact.features.shape == (16, SmallClassifier(name).feature_dim)
    assert exact.logits.shape == (16, 10)


def test_unknown_weights_say_what_there_is():
    with pytest.raises(FileNotFoundError) as raised:
        EXTRACTORS.build(dict(type="SmallClassifier", weights="digit-16"))
    message = str(raised.value)
    assert "'digit-16'" in message and all(name in message for name in NAMES)
    assert "mmcgan train-classifier" in message


def test_file_of_another_kind_is_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "generator.safetensors"
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"generator\.safetensors: metadata 'format' is None"):
        SmallClassifier(str(path))
    path.write_bytes(b"garbage")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        SmallClassifier(str(path))


def test_damaged_shipped_weights_are_noticed(tmp_path, monkeypatch):
    (tmp_path / "some.safetensors").write_bytes(b"cut off")
    index = {"some": dict(kind="classifier", file="some.safetensors", sha256="0" * 64, command="make it")}
    (tmp_path / "index.json").write_text(json.dumps(index))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "INDEX", tmp_path / "index.json")
    with pytest.raises(ValueError, match="the file is damaged, reinstall mmcgan or remake it: make it"):
        weights.weight_path("some")
    (tmp_path / "some.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="reinstall mmcgan"):
        weights.weight_path("some")
    with pytest.raises(KeyError, match="Did you mean 'some'"):
        weights.weight_path("same")


@pytest.mark.parametrize("size", [8, 7])
def test_the_shortcut_is_a_convolution_of_stride_two_and_never_onednns_own(size):
    stage = ResidualStage(12, 16).double().eval()
    x = torch.randn(2, 12, size, size, dtype=torch.float64)
    weight = stage.shortcut[0].weight
    expected = F.relu(stage.conv2(F.relu(stage.conv1(x))) + stage.shortcut[1](F.conv2d(x, weight, stride=2)))
    torch.testing.assert_close(stage(x), expected, rtol=1e-12, atol=1e-12)
    for network in (SmallNetwork(2, (8, 12)), SegmentationNetwork(2, (8, 12))):
        convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
        assert not [conv for conv in convolutions if conv.kernel_size == (1, 1) and conv.stride != (1, 1)]
