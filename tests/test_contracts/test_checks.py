"""``mmcgan.testing`` on classes that are wrong: each check says what is."""

import inspect
import re

import pytest
import torch
from torch import nn

from mmcgan import testing
from mmcgan.models.generators import Generator
from mmcgan.testing import CheckError
from tests.test_contracts.examples.losses import vectors


# --- what is wrong is said -----------------------------------------------------------------------
class Good(Generator):
    image_size, latent_dim, num_classes, requires = 4, 3, 0, ()

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 48)

    def embed(self, condition):
        return None

    def synthesize(self, latent, embedding):
        return self.linear(latent).tanh().unflatten(1, (3, 4, 4))


def small(self, latent, embedding):
    return Good.synthesize(self, latent, embedding)[:, :, :2]


def restless(self, latent, embedding):
    return Good.synthesize(self, latent + torch.rand(3), embedding)


def joined(self, latent, embedding):
    return Good.synthesize(self, latent - latent.mean(0), embedding)


def deaf(self, latent, embedding):
    return Good.synthesize(self, torch.ones_like(latent), embedding)


def test_a_good_generator_passes():
    testing.check_generator(Good())


@pytest.mark.parametrize(
    ("synthesize", "message"),
    [
        (small, r"Bad: images have the shape \(3, 3, 2, 4\)"),
        (restless, "Bad: two calls in evaluation differ"),
        (joined, "Bad: an image depends on others of its batch"),
        (deaf, "Bad: no gradient reaches z"),
    ],
)
def test_what_is_wrong_with_a_generator_is_said(synthesize, message):
    with pytest.raises(CheckError, match=message):
        testing.check_generator(type("Bad", (Good,), {"synthesize": synthesize})())


def test_a_state_outside_the_weights_is_found():
    class Forgetful(Good):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def state_dict(self, *args, **kwargs):
            found = super().state_dict(*args, **kwargs)
            found.pop("scale", None)
            return found

        def load_state_dict(self, state, strict=True, assign=False):
            return super().load_state_dict(state, strict=False)

        def synthesize(self, latent, embedding):
            return super().synthesize(latent, embedding) * self.scale

    with pytest.raises(CheckError, match="Forgetful: its image differs after its weights were saved"):
        testing.check_generator(Forgetful())


def test_randomness_that_is_not_the_generators_is_found():
    from mmcgan.samplers import LatentSampler

    class Wild(LatentSampler):
        def sample(self, n, generator):
            return torch.randn(n, self.latent_dim)

    with pytest.raises(CheckError, match="Wild draws from torch's global generator"):
        testing.check_latent_sampler(Wild(3))


def test_every_check_is_exported_and_documented():
    names = [name for name in testing.__all__ if name.startswith("check_")]
    assert len(names) == 18
    for name in names:
        assert re.match(r"Check ", inspect.getdoc(getattr(testing, name))), name


def test_a_state_of_a_loss_outside_its_buffers_is_found():
    from mmcgan.losses import Loss

    class Counting(Loss):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def fake(self, logit):
            self.calls += 1
            return logit.mean() * self.calls

    with pytest.raises(CheckError, match="Counting: two calls differ"):
        testing.check_loss(Counting(), {"logit": vectors()})


def test_a_state_of_training_outside_the_buffers_is_found():
    class Hidden(Good):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def synthesize(self, latent, embedding):
            self.steps += self.training
            return super().synthesize(latent * (1 + self.steps), embedding)

    with pytest.raises(CheckError, match=r"Hidden: .* differs between two steps"):
        testing.check_generator(Hidden())


def test_a_generator_is_checked_as_onnx():
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    testing.check_generator(Good(), export=True)
