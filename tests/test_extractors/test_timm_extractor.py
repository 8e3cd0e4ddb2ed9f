import pytest
import timm
import torch

from mmcgan.extractors import TimmExtractor
from mmcgan.extractors.names import extractor_config

MODEL = "test_resnet"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return timm.create_model(MODEL, pretrained=False).eval()


@pytest.fixture()
def weights(tmp_path, network):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, path)
    return path


def image(size=40):
    return torch.randint(0, 256, (3, 3, size, size), generator=torch.Generator().manual_seed(0)).byte()


def test_features_and_logits_are_those_of_timm(weights, network):
    extractor = TimmExtractor(MODEL, str(weights), logits=True, image_size=64)
    output = extractor(image())
    pixels = extractor.preprocessing(image())
    expected = network(pixels)
    torch.testing.assert_close(output.logits, expected, rtol=1e-4, atol=1e-5)
    features = network.forward_head(network.forward_features(pixels), pre_logits=True)
    torch.testing.assert_close(output.features, features, rtol=1e-4, atol=1e-5)
    assert (extractor.feature_dim, extractor.num_classes) == (features.shape[1], expected.shape[1])


def test_without_logits_the_classifier_is_left_out(weights):
    both = TimmExtractor(MODEL, str(weights), logits=True, image_size=64)(image())
    features = TimmExtractor(MODEL, str(weights), image_size=64)(image())
    assert features.logits is None
    torch.testing.assert_close(features.features, both.features)


def test_size_and_normalisation_are_the_models_own(weights, network):
    description = TimmExtractor(MODEL, str(weights)).describe()
    assert description["image_size"] == network.pretrained_cfg["input_size"][-1]
    assert description["mean"] == list(network.pretrained_cfg["mean"])


def test_missing_file_says_where_it_comes_from_and_what_else_there_is(tmp_path):
    for given in (None, str(tmp_path / "nowhere.pth")):
        with pytest.raises(FileNotFoundError) as raised:
            TimmExtractor("resnet50", given)
        message = str(raised.value)
        assert "'resnet50'" in message and repr(given) in message
        assert "timm/resnet50" in message  # origin
        assert "SmallClassifier" in message and "digits-16" in message


def test_unknown_model_is_suggested(weights):
    with pytest.raises(ValueError, match=r"no timm model 'resnet500'.*Did you mean 'resnet50"):
        TimmExtractor("resnet500", str(weights))


def test_file_of_another_model_is_refused(weights):
    with pytest.raises(ValueError, match=r"does not fit timm's 'resnet18': \d+ keys missing"):
        TimmExtractor("resnet18", str(weights))


def test_projection_heads_must_be_named(tmp_path, network):
    path = tmp_path / "ssl.pth"
    torch.save({**network.state_dict(), "projection_head.0.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(ValueError, match=r"1 unexpected \['projection_head\.0\.weight'\].*ignore="):
        TimmExtractor(MODEL, str(path))
    assert TimmExtractor(MODEL, str(path), ignore=["projection_head."]).feature_dim > 0


def test_file_without_tensors(tmp_path):
    path = tmp_path / "empty.pth"
    torch.save({"epoch": 3}, path)
    with pytest.raises(ValueError, match="holds no tensors by name"):
        TimmExtractor(MODEL, str(path))


def test_a_file_that_would_execute_code_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "whole_model.pth"
    torch.save(torch.nn.Linear(2, 2), path)  # the class itself, not its tensors
    with pytest.raises(ValueError, match=r"whole_model\.pth .*more than tensors and plain data"):
        TimmExtractor(MODEL, str(path))


def test_files_of_classifier_balancing_are_read(tmp_path, network):
    """ImageNet-LT's backbone, as that training saves it: best weights of two parts, in a wrapper."""
    path = tmp_path / "latest_model_checkpoint.pth"
    backbone = {f"module.{k}": v for k, v in network.state_dict().items() if not k.startswith("fc.")}
    classifier = {"module.fc.weight": torch.zeros(1000, 2), "module.fc.bias": torch.zeros(1000)}
    best = dict(feat_model=backbone, classifier=classifier)
    torch.save(dict(epoch=90, best_acc=0.4, state_dict_best=best), path)
    features = TimmExtractor(MODEL, str(path), image_size=64)(image()).features
    pixels = TimmExtractor(MODEL, str(path), image_size=64).preprocessing(image())
    expected = network.forward_head(network.forward_features(pixels), pre_logits=True)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    config = extractor_config(f"balanced-resnet50:{path}")
    assert (config["type"], config["model"], config["weights"]) == ("TimmExtractor", "resnet50", str(path))
    with pytest.raises(FileNotFoundError, match=r"no weight file gone\.pth; nothing is downloaded"):
        extractor_config("balanced-resnet50:gone.pth")
