"""Settings of losses, regularisers and augmentations, and tensors for every argument of a loss."""

import torch
from torch import nn

N, CLASSES = 6, 3
LABEL = torch.arange(N) % CLASSES


def vectors(*shape, seed=0):
    """Return made-up rows (N, *shape)."""
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(seed))


#: tensors for every argument that a loss of ours may have
INPUTS = {
    "logit": vectors(),
    "logits": vectors(CLASSES + 1, seed=1),
    "label": LABEL,
    "embed": nn.functional.normalize(vectors(4, seed=2), dim=1),
    "proxy": nn.functional.normalize(vectors(4, seed=3), dim=1),
    "iteration": torch.tensor(5),
    "mean": vectors(4, seed=4),
    "variance": vectors(4, seed=5).exp(),
    "log_variance": vectors(4, seed=6),
    "feature": vectors(4, seed=7),
    "score": vectors(CLASSES + 2, seed=8),
    "image": vectors(3, 8, 8, seed=9).tanh(),
}
#: losses whose arguments of these names have another shape
SHAPES = {
    "CategoricalCodeLoss": dict(logits=vectors(2, 3), code=torch.randint(3, (N, 2))),
    "GaussianCodeLoss": dict(code=vectors(4)),
    "FeatureMapLoss": dict(feature=vectors(4, 3, 3)),
    "DiscriminativeClassifierLoss": dict(logits=vectors(2 * CLASSES)),
    "OmniLoss": dict(label=LABEL),
    "PerceptualLoss": dict(image=vectors(3, 32, 32, seed=9).tanh()),
}


class Halves(nn.Module):
    """In place of VGG19: an image and a smaller one."""

    def forward(self, image):
        """Return two maps."""
        return [image, nn.functional.avg_pool2d(image, 2)]


LOSSES = {
    "PerceptualLoss": dict(features=Halves(), tap_weights=(1.0, 0.5)),
    "TopKLoss": dict(loss=dict(type="HingeLoss"), epoch_length=2),
}
REGULARIZERS = {
    "ImageConsistency": dict(transform=dict(type="FlipAndShift")),
    "GradientClipping": dict(max_norm=1.0),
    "LatentOptimization": dict(on="generator"),
}
AUGMENTS = {
    "ADA": dict(p=0.5),
    "APA": dict(p=0.5),
    "ComposeAugments": dict(augments=[dict(type="FlipAndShift")]),
}
