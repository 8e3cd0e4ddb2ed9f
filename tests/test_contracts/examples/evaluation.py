"""Settings of metrics, and extractors with weights that a test makes."""

import timm
import torch

from mmcgan.extractors import weight_files
from tests.test_extractors.test_inception import Script

METRICS = {
    "MSSSIM": dict(pairs=4),
    "KID": dict(subsets=2, subset_size=10),
    "FIDInfinity": dict(smallest=10, points=3),
    "SajjadiPrecisionRecall": dict(clusters=3, runs=2),
    "ClassificationAccuracyScore": dict(epochs=1),
    "LPIPSDiversity": dict(pairs=4),
    "SWD": dict(max_images=16),
}


def saved(folder, name, state):
    """Write weights as a checkpoint and return its path."""
    path = folder / name
    torch.save(state, path)
    return str(path)


def of_timm(folder, model, **settings):
    """Return the path of random weights of a network of timm."""
    torch.manual_seed(0)
    return saved(folder, "timm.pth", timm.create_model(model, pretrained=False, **settings).state_dict())


def tero(folder, patch):
    """Return settings for a small program with NVIDIA's interface."""
    torch.manual_seed(0)
    path = folder / "inception-2015-12-05.pt"
    torch.jit.script(Script()).save(str(path))
    return dict(weights=str(path), sha256=weight_files.file_hash(path))


def trusted(key, path, patch):
    """Let a test's file pass for the published one."""
    old = weight_files.KNOWN_WEIGHTS[key]
    file = weight_files.WeightFile((path.rpartition("/")[2],), old.origin, weight_files.file_hash(path))
    patch.setitem(weight_files.KNOWN_WEIGHTS, key, file)
    return dict(weights=path)


def torchvision_inception(folder, patch):
    """Return settings for random weights of torchvision's network."""
    from torchvision.models import inception_v3

    network = inception_v3(weights=None, transform_input=True, init_weights=False)
    return trusted("torchvision-inception", saved(folder, "tv.pth", network.state_dict()), patch)


def dino(folder, patch):
    """Return settings for random weights of the residual network, which is the smaller one to run."""
    path = of_timm(folder, "resnet50", num_classes=0)
    return {**trusted("dino-resnet50", path, patch), "model": "resnet50"}


#: name -> settings, or (folder, monkeypatch) -> settings
EXTRACTORS = {
    "SmallClassifier": dict(weights="digits-16"),
    "AttributeClassifier": dict(weights="two-domain-digits-16"),
    "SelfSupervisedExtractor": dict(weights="fashion-mnist-ssl"),
    "InceptionV3": dict(weights="random"),
    "EfficientNetLite0": dict(pretrained=False, image_size=64),
    "TeroInception": tero,
    "TorchvisionInception": torchvision_inception,
    "SwAV": lambda folder, patch: dict(weights=of_timm(folder, "resnet50", num_classes=0)),
    "DINO": dino,
    "TimmExtractor": lambda folder, patch: dict(
        model="test_resnet", weights=of_timm(folder, "test_resnet"), image_size=64
    ),
}
#: large networks: seconds each
SLOW = ("InceptionV3", "TorchvisionInception", "SwAV", "DINO")
