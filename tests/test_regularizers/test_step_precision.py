"""A second pass computes in the precision of the step, gradients of gradients in float32."""

import contextlib

import pytest
import torch

from mmcgan.augments.base import Augment
from mmcgan.models import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import AUGMENTS, REGULARIZERS
from mmcgan.regularizers import Regularizer
from tests.test_models.stand_ins import batch, config
from tests.test_regularizers.test_registry import ours

ADAM = dict(type="Adam", lr=1e-3)
ARGUMENTS = {"LatentOptimization": dict(on="generator"), "ImageConsistency": dict(fake=1.0)}
ARGUMENTS |= {"GradientClipping": dict(max_norm=1.0, parameters=["heads.adv.*"])}


@pytest.fixture
def register():
    """Return a function that registers a class for the time of a test."""
    with contextlib.ExitStack() as stack:

        def add(registry, kind):
            registry.register_module(module=kind)
            stack.callback(registry.module_dict.pop, kind.__name__)
            return kind

        yield add


class Unchanged(Augment):
    """Shows images as they are."""

    def transform(self, image, draws):
        """Return the image."""
        return image


class OwnConsistency(Regularizer):
    """A stranger's: asks both functions of the context anew and compares, without a word on precision."""

    def forward(self, context):
        """Return how far the same images and scores are from themselves."""
        image = context.generate(context.latent, context.fake.condition)
        score = context.score(image, context.fake.condition)
        apart = (score["adv.logit"] - context.fake_scores["adv.logit"]).abs().max()
        return apart + (image - context.fake.image).abs().max()


def make(regularizer, precision):
    """Return a model with one regulariser, and its optimisers."""
    torch.manual_seed(0)
    model = ConditionalGAN(**config(regularizers=dict(own=regularizer)))
    players = dict(generator=dict(optimizer=ADAM), discriminator=dict(optimizer=ADAM))
    return model, GANOptimWrapperConstructor(dict(precision=precision, **players))(model)


def passes_of(model, optimizers, monkeypatch):
    """Return whether autocast was on, per layer of the regulariser's passes, and if it took gradients."""
    seen, gradients, (regularizer,) = [], [], model.regularizers.values()
    taken, forward = torch.autograd.grad, regularizer.forward

    def watched(context):
        hooks = [
            layer.register_forward_pre_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
            for layer in (model.generator.linear, model.discriminator.backbone.linear)
        ]
        with monkeypatch.context() as patch:
            patch.setattr(torch.autograd, "grad", lambda *a, **k: gradients.append(1) or taken(*a, **k))
            value = forward(context)
        for hook in hooks:
            hook.remove()
        return value

    regularizer.forward = watched
    model.train_step(batch(4), optimizers)
    return seen, bool(gradients)


@pytest.mark.parametrize("name", ours())
def test_own_passes_are_the_steps_unless_they_are_differentiated(name, monkeypatch):
    model, optimizers = make(dict(type=name, **ARGUMENTS.get(name, {})), "bfloat16")
    seen, differentiated = passes_of(model, optimizers, monkeypatch)
    assert set(seen) <= {not differentiated}


def test_the_walk_meets_both_kinds(monkeypatch):
    kinds = {}
    for name in ours():
        model, optimizers = make(dict(type=name, **ARGUMENTS.get(name, {})), "bfloat16")
        seen, differentiated = passes_of(model, optimizers, monkeypatch)
        kinds[name] = (bool(seen), differentiated)
    assert kinds["ModeSeeking"] == kinds["ImageConsistency"] == kinds["LatentDiversity"] == (True, False)
    assert kinds["LatentConsistency"] == (True, False)
    assert kinds["R1"] == kinds["GradientPenalty"] == kinds["PathLengthPenalty"] == (True, True)


SQUARED = pytest.approx(0.0, abs=1e-11)
SAME = [
    (dict(type="ModeSeeking"), "g_own", pytest.approx(1e5, rel=1e-3)),
    (dict(type="LatentDiversity", weight=1.0), "g_own", SQUARED),
    (dict(type="LatentConsistency", weight=1.0), "d_own", SQUARED),
    (dict(type="ImageConsistency", real=1.0, fake=1.0, transform=dict(type="Unchanged")), "d_own", SQUARED),
    (dict(type="OwnConsistency", on="generator"), "g_own", pytest.approx(0.0, abs=1e-6)),
    (dict(type="OwnConsistency", on="discriminator"), "d_own", pytest.approx(0.0, abs=1e-6)),
]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("settings", "term", "value"), SAME)
def test_what_ignores_the_change_is_not_said_to_follow_it(settings, term, value, precision, register):
    register(AUGMENTS, Unchanged)
    register(REGULARIZERS, OwnConsistency)
    model, optimizers = make(settings, precision)
    with torch.no_grad():  # deaf to z, and not to the class: images that bfloat16 has to round
        model.generator.synthesize = lambda latent, embedding: (
            model.generator.linear(embedding + 0 * latent).tanh().view(-1, 3, 4, 4)
        )
    log = model.train_step(batch(4), optimizers)
    assert log[term].item() == value


def test_who_enters_the_network_can_have_the_steps_precision_too(register):
    class Enters(Regularizer):
        """Compares what the network itself makes with what the step made."""

        def forward(self, context):
            """Return the distance of the images."""
            with context.autocast():
                image = context.network(context.latent, context.fake.condition)
            return (image.float() - context.fake.image).abs().max()

    register(REGULARIZERS, Enters)
    model, optimizers = make(dict(type="Enters", on="generator"), "bfloat16")
    assert model.train_step(batch(4), optimizers)["g_own"].item() == 0
