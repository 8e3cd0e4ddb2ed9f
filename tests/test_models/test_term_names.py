"""Names of losses, regularisers and heads: every term counts, and what torch cannot take is named."""

import pytest

from mmcgan.config import load_config
from mmcgan.config.problems import ConfigError
from tests.test_models.stand_ins import batch
from tests.test_models.test_gan import make

CLASHES = {
    "a regulariser and a loss of the discriminator": dict(
        regularizers=dict(adversarial_real=dict(type="R1"))
    ),
    "a regulariser and a loss of the generator": dict(
        regularizers=dict(adversarial_generated=dict(type="ModeSeeking"))
    ),
}


@pytest.mark.parametrize("changes", CLASHES.values(), ids=CLASHES)
def test_a_term_that_would_take_the_place_of_another_is_refused(changes):
    (name,) = changes["regularizers"]
    model, optimizers = make(**changes)
    with pytest.raises(ValueError, match=f"two terms are called '{name}'"):
        model.train_step(batch(4), optimizers)


def test_the_same_under_a_name_of_its_own_is_trained_beside_the_loss():
    model, optimizers = make(regularizers=dict(penalty=dict(type="R1")))
    log = model.train_step(batch(4), optimizers)
    assert {"d_adversarial_real", "d_penalty"} <= set(log)


@pytest.mark.parametrize("name", ["train", "half", "parameters", "keys"])
@pytest.mark.parametrize("place", ["losses", "regularizers", "discriminator.heads"])
def test_names_that_torch_keeps_are_refused_by_the_config(place, name, tmp_path):
    kind = {"losses": "HingeLoss", "regularizers": "R1", "discriminator.heads": "AdversarialHead"}[place]
    added = {name: dict(type=kind)}
    for part in reversed(place.split(".")):
        added = {part: added}
    file = tmp_path / "named.py"
    file.write_text(f"_base_ = '{{{{$MMCGAN_CONFIGS:}}}}/biggan/biggan_digits-16.py'\nmodel = {added!r}\n")
    with pytest.raises(ConfigError, match=rf"{place}\.{name}: torch keeps this name for itself"):
        load_config(file)
