"""Path length: closed form of linear generators, running mean, where generators are entered."""

from dataclasses import replace

import pytest
import torch

from mmcgan.models.generators import Generator, StyleGAN2Generator
from mmcgan.regularizers import PathLengthPenalty, path_lengths
from tests.test_regularizers.toy import SIZE, context, draw


def test_lengths_of_a_linear_map_are_those_of_the_projected_noise():
    matrix, style = draw(2, 3 * SIZE * SIZE, seed=1), draw(5, 2, seed=2).requires_grad_()
    noise = draw(5, 3, SIZE, SIZE, seed=3)
    image = (style @ matrix).view(5, 3, SIZE, SIZE)
    expected = (noise.flatten(1) @ matrix.T).norm(dim=1)
    assert torch.allclose(path_lengths(image, style, noise), expected)


def test_lengths_over_layers_are_the_root_of_the_mean_square():
    style = draw(5, 4, 2).requires_grad_()
    matrix = draw(8, 27, seed=1)
    noise = draw(5, 3, SIZE, SIZE, seed=3)
    image = (style.flatten(1) @ matrix).view(5, 3, SIZE, SIZE)
    expected = (noise.flatten(1) @ matrix.T).norm(dim=1) / 2
    assert torch.allclose(path_lengths(image, style, noise), expected)


def test_the_running_mean_is_updated_first_and_checkpointed():
    regularizer = PathLengthPenalty(decay=0.5)
    lengths = torch.tensor([1.0, 3.0])
    assert regularizer.penalty(lengths).item() == pytest.approx(((1 - 1) ** 2 + (3 - 1) ** 2) / 2)
    assert regularizer.mean.item() == 1.0
    restored = PathLengthPenalty(decay=0.5)
    restored.load_state_dict(regularizer.state_dict())
    assert restored.penalty(lengths).item() == pytest.approx((0.25 + 2.25) / 2)


def test_the_gradient_passes_through_the_mean():
    lengths = torch.tensor([1.0, 3.0], requires_grad=True)
    PathLengthPenalty(decay=1.0).penalty(lengths).backward()
    assert torch.allclose(lengths.grad, torch.tensor([-1.0, 1.0]))


def test_any_generator_is_entered_at_its_latent():
    given = context()
    value = PathLengthPenalty(shrink=2)(given)
    assert value.item() > 0
    assert given.network.calls == 2
    shares = [PathLengthPenalty(shrink=n)(context()).item() for n in (1, 2, 99)]
    assert len(set(shares)) == 3


class StyleGenerator(Generator):
    """Styles are twice the latent, in two layers; remembers what it was entered with."""

    enter = StyleGAN2Generator.enter

    def map(self, latent, condition):
        """Return styles (N, 2, 2)."""
        return torch.stack([2 * latent, 2 * latent], 1)

    def synthesize_styles(self, styles):
        """Return images that depend on the first layer twice as much as on the second."""
        self.styles = styles
        return (styles[:, 0].sum(1) + 0.5 * styles[:, 1].sum(1))[:, None, None, None].expand(-1, 3, 2, 2)


def test_a_style_generator_is_entered_at_its_styles():
    network = StyleGenerator()
    given = replace(context(), network=network)
    regularizer = PathLengthPenalty(shrink=2, decay=1.0)
    regularizer(given)
    assert torch.equal(network.styles[:, 0], 2 * given.latent[:2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(decay=0.0), r"decay must lie in \(0, 1\], got 0.0"),
        (dict(shrink=0), "shrink must be at least 1, got 0"),
        (dict(on="discriminator"), "on='discriminator' is not possible"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PathLengthPenalty(**settings)
