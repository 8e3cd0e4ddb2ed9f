import pytest
import timm
import torch

from mmcgan.extractors import DINO, InceptionV3, SwAV, TeroInception, TorchvisionInception
from mmcgan.extractors import weight_files as files

pytest.importorskip("torch_fidelity")


def pictures(size=64):
    return torch.randint(0, 256, (2, 3, size, size), generator=torch.Generator().manual_seed(0)).byte()


@pytest.fixture(scope="module")
def random_inception():
    torch.manual_seed(0)
    extractor = InceptionV3("random")
    for layer in extractor.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):  # at their start they would hide a wrong eps or order
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return extractor


@pytest.fixture()
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    (tmp_path / "extractors").mkdir()
    return tmp_path / "extractors"


def test_features_and_logits_are_those_of_torch_fidelity(random_inception, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    state = random_inception.network.state_dict()
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *args, **kwargs: state)
    network = theirs.FeatureExtractorInceptionV3("n", ["2048", "logits_unbiased"])
    features, logits = network(pictures())
    ours = random_inception(pictures())
    torch.testing.assert_close(ours.features, features, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.logits, logits, rtol=1e-4, atol=1e-5)
    assert features.std() > 0
    maps = dict(network.named_children())
    hidden = random_inception.preprocessing(pictures())
    for name in list(maps)[: list(maps).index("Mixed_6d") + 1]:
        hidden = maps[name](hidden)
    torch.testing.assert_close(ours.spatial, hidden[:, :7].flatten(1), rtol=1e-3, atol=1e-4)
    assert ours.spatial.shape[1] == random_inception.spatial_dim == 2023


def test_the_bias_of_the_logits_is_an_option(random_inception):
    plain = random_inception(pictures())
    random_inception.output_bias = True
    biased = random_inception(pictures())
    random_inception.output_bias = False
    difference = biased.logits - plain.logits
    expected = random_inception.network.fc.bias.expand_as(difference)
    torch.testing.assert_close(difference, expected, rtol=1e-3, atol=1e-6)


def test_missing_weights_say_which_file_from_where_with_which_hash_and_what_else(cache):
    with pytest.raises(FileNotFoundError) as raised:
        InceptionV3()
    message = str(raised.value)
    for part in ("weights-inception-2015-12-05-6726825d.pth", "torch-fidelity/releases", str(cache)):
        assert part in message
    assert "6726825d0af5f729" in message and "TeroInception" in message


@pytest.mark.parametrize("kind", [SwAV, DINO, TorchvisionInception, TeroInception])
def test_every_known_extractor_says_where_its_weights_come_from(kind, cache):
    with pytest.raises(FileNotFoundError, match=r"Nothing is downloaded: fetch .* from https://.*"):
        kind()


def test_a_damaged_file_is_refused_by_its_hash(cache):
    (cache / files.KNOWN_WEIGHTS["fid-inception"].names[0]).write_bytes(b"not the file")
    with pytest.raises(ValueError, match=r"has SHA-256 .*, expected 6726825d.*damaged or another one"):
        InceptionV3()


def known(monkeypatch, key, path):
    """Let the test's file pass for the published one."""
    old = files.KNOWN_WEIGHTS[key]
    entry = files.WeightFile((path.name,), old.origin, files.file_hash(path))
    monkeypatch.setitem(files.KNOWN_WEIGHTS, key, entry)


def test_a_file_in_the_cache_is_found_and_loaded(random_inception, cache, monkeypatch):
    path = cache / "weights.pth"
    state = random_inception.network.state_dict()
    torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, path)
    known(monkeypatch, "fid-inception", path)
    found = InceptionV3()
    assert found.name == "inception-v3-2015" != random_inception.name
    assert found.weights_hash == random_inception.weights_hash


def test_torchvision_features_are_what_its_classifier_sees(cache, monkeypatch):
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    network = inception_v3(weights=None, transform_input=True, init_weights=False).eval()
    path = cache / "tv.pth"
    torch.save(network.state_dict(), path)
    known(monkeypatch, "torchvision-inception", path)
    extractor = TorchvisionInception()
    output = extractor(pictures())
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    unit = (extractor.preprocessing(pictures()) + 1) / 2
    expected = network((unit - mean[:, None, None]) / std[:, None, None])  # the way torchvision is called
    torch.testing.assert_close(output.logits, expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(network.fc(output.features), expected, rtol=1e-3, atol=1e-4)


def test_swav_leaves_its_projection_head_out(cache, monkeypatch):
    network = timm.create_model("resnet50", pretrained=False, num_classes=0)
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    head = {"module.projection_head.0.weight": torch.zeros(2, 2), "module.prototypes.weight": torch.zeros(3)}
    path = cache / "swav_800ep_pretrain.pth.tar"
    torch.save({**state, **head}, path)
    extractor = SwAV()  # found in the cache; no hash is published for it
    assert (extractor.feature_dim, extractor.preprocessing.resize) == (2048, "pil-bilinear")
    assert len(extractor.describe()["weights_sha256"]) == 64


class Script(torch.nn.Module):
    """The interface of NVIDIA's TorchScript file, small; ``resizing`` stands for what it does itself."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Linear(3, 2048)
        self.output = torch.nn.Linear(2048, 1008)

    def forward(self, img, return_features: bool = False, no_output_bias: bool = False):
        features = self.layers(img.to(torch.float32).mean(dim=(2, 3)) / 255)
        if return_features:
            return features
        bias = None if no_output_bias else self.output.bias
        return torch.nn.functional.linear(features, self.output.weight, bias).softmax(1)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("script") / "inception-2015-12-05.pt"
    torch.jit.script(Script()).save(str(path))
    return path


def test_an_unknown_torchscript_file_is_never_executed(script, monkeypatch):
    def execute(*args, **kwargs):
        raise AssertionError("the file was loaded")

    monkeypatch.setattr(torch.jit, "load", execute)
    with pytest.raises(ValueError, match="expected f58cb9b6"):
        TeroInception(str(script))
    with pytest.raises(ValueError, match="expected 000000"):
        TeroInception(str(script), sha256="0" * 64)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        TeroInception(str(script), sha256=files.file_hash(script)[:8])
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        TeroInception(str(script), sha256="g" * 64)


def test_a_trusted_torchscript_file_gives_features_and_unbiased_logits(script):
    extractor = TeroInception(str(script), sha256=files.file_hash(script))
    network = torch.jit.load(str(script))
    output = extractor(pictures())
    torch.testing.assert_close(output.features, network(pictures(), return_features=True))
    assert torch.equal(output.image, pictures())
    torch.testing.assert_close(output.logits.softmax(1), network(pictures(), no_output_bias=True))
    assert extractor.describe()["resize"] == "by the file"
    assert extractor.describe()["weights_sha256"] == files.file_hash(script)


def test_a_torchscript_file_can_be_given_images_that_were_resized_before(script):
    extractor = TeroInception(str(script), sha256=files.file_hash(script), resize="pil-bicubic-8bit")
    expected = extractor.network(extractor.preprocessing(pictures()), return_features=True)
    torch.testing.assert_close(extractor(pictures()).features, expected)
    assert extractor.preprocessing(pictures()).shape[-1] == 299
    assert extractor.preprocessing(pictures()).max() > 200  # still 0..255: the file normalises
