"""What is checked across components: latent codes, outputs that regularisers read, batch sizes."""

import pytest

from mmcgan.config.facts import fill_facts
from mmcgan.config.validate import find_problems
from tests.test_config.examples import example, put


def problems(**changes):
    config = example()
    for path, value in changes.items():
        put(config, path.replace("__", "."), value)
    fill_facts(config)
    return [str(problem) for problem in find_problems(config)]


INFO = {"type": "CategoricalCodeLoss", "weights": {"generated": 1.0}, "inputs": {"logits": "q.logits"}}
INFO["inputs"]["code"] = "latent.discrete"


def test_a_loss_may_be_wired_to_the_codes_that_the_latent_sampler_carries():
    changes = {"model__losses__info": INFO, "model__discriminator__heads__q": {"type": "DiscreteCodeHead"}}
    sampler = {"type": "CodedLatent", "codes": 1, "values": 3}
    assert problems(model__latent_sampler=sampler, **changes) == []
    found = problems(model__latent_sampler={"type": "NormalLatent"}, **changes)
    assert len(found) == 1 and "latent.discrete" in found[0] and "which nothing emits" in found[0]


@pytest.mark.parametrize(
    ("regularizer", "missing"),
    [
        ({"type": "R1", "logit": "adv.logits"}, "adv.logits"),
        ({"type": "ImageConsistency", "outputs": ["adv.logit", "cls.embed"]}, "cls.embed"),
    ],
)
def test_a_regulariser_that_reads_what_nothing_emits_is_named(regularizer, missing):
    found = problems(model__regularizers={"extra": regularizer})
    assert len(found) == 1 and "model.regularizers.extra" in found[0] and repr(missing) in found[0]
    assert "which nothing emits" in found[0] and "adv.logit" in found[0]


def test_the_transform_of_consistency_is_checked():
    transform = {"type": "FlipAndShift", "shfit": 0.1}
    found = problems(model__regularizers={"cr": {"type": "ImageConsistency", "transform": transform}})
    assert len(found) == 1 and "model.regularizers.cr.transform.shfit" in found[0] and "'shift'" in found[0]


def test_the_loss_inside_top_k_is_checked():
    wrapped = {"type": "TopKLoss", "epoch_length": 5, "loss": {"type": "HingLoss"}}
    found = problems(model__losses__adversarial=wrapped)
    assert len(found) == 1 and "model.losses.adversarial.loss.type" in found[0] and "HingeLoss" in found[0]


@pytest.mark.parametrize("kind", ["ConditionalContrastiveLoss", "D2DCELoss"])
def test_a_mini_batch_too_small_for_a_loss_says_what_is_enough(kind):
    changes = {
        "model__discriminator__heads__cls": {"type": "ProxyHead"},
        "model__losses__classes": {"type": kind},
    }
    assert problems(train_dataloader__batch_size=4, **changes) == []
    found = problems(train_dataloader__batch_size=2, **changes)
    assert len(found) == 1 and "needs at least 2: use 4 or more" in found[0] and kind in found[0]
