"""Losses of others, however they write their views: what each takes is what it is given."""

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcgan.contracts import ContractError
from mmcgan.losses import Loss, PairedLoss, TopKLoss
from mmcgan.models.wiring import WiredLoss
from mmcgan.registry import LOSSES, restore, snapshot

AVAILABLE = ("adv.logit", "cond.label", "train.iteration")
REAL = {"adv.logit": torch.tensor([1.0, -2.0]), "cond.label": torch.tensor([0, 1])}
FAKE = {"adv.logit": torch.tensor([0.5, 3.0]), "cond.label": torch.tensor([1, 1])}
SOFT = {"real": F.softplus(-REAL["adv.logit"]).mean(), "fake": F.softplus(FAKE["adv.logit"]).mean()}
SOFT["generated"] = F.softplus(-FAKE["adv.logit"]).mean()


def real(logit):
    return F.softplus(-logit).mean()


def fake(logit):
    return F.softplus(logit).mean()


class Plain(Loss):
    default_inputs: ClassVar = {"logit": "adv.logit"}

    def real(self, logit):
        return real(logit)

    def fake(self, logit):
        return fake(logit)

    def generated(self, logit):
        return real(logit)


class Static(Loss):
    default_inputs: ClassVar = {"logit": "adv.logit"}
    real, fake, generated = staticmethod(real), staticmethod(fake), staticmethod(real)


class OfClass(Loss):
    default_inputs: ClassVar = {"logit": "adv.logit"}
    real = classmethod(lambda cls, logit: real(logit))
    fake = classmethod(lambda cls, logit: fake(logit))
    generated = classmethod(lambda cls, logit: real(logit))


class ByName(Loss):
    """Takes whatever it is wired to."""

    default_inputs: ClassVar = {"logit": "adv.logit"}

    def real(self, **inputs):
        return real(inputs["logit"])

    def fake(self, **inputs):
        return fake(inputs["logit"])

    def generated(self, **inputs):
        return real(inputs["logit"])


class Unlike(Loss):
    """Its views look at different tensors."""

    default_inputs: ClassVar = {"logit": "adv.logit", "label": "cond.label", "iteration": "train.iteration"}

    def real(self, logit):
        return real(logit)

    def fake(self, logit, label):
        assert label.shape == logit.shape
        return fake(logit)

    def generated(self, iteration, logit, factor=1.0):
        return factor * real(logit)


class Underived(nn.Module):
    """Every member itself, no base of ours."""

    views = ("real", "fake", "generated")
    default_inputs: ClassVar = {"logit": "adv.logit"}
    discriminator = generator = None
    needs_real_in_generator_step, smallest_batch, score_temperature = False, 1, 1.0
    has_figures = weighs_condition = False
    real, fake, generated = staticmethod(real), staticmethod(fake), staticmethod(real)

    @classmethod
    def implemented_views(cls):
        return cls.views

    def figures(self, inputs):
        return {}

    def weigh_condition(self, weight):
        pass

    def discriminator_terms(self, real, fake):
        return {"real": self.real(**real), "fake": self.fake(**fake)}

    def generator_terms(self, fake, real):
        return {"generated": self.generated(**fake)}


class UnderivedPairs(Underived):
    """The same for a loss of pairs."""

    views = ("discriminator", "generator")
    input_names = ("logit",)
    real = fake = generated = None

    def discriminator(self, real, fake):
        return F.softplus(fake["logit"] - real["logit"]).mean()

    def generator(self, fake, real):
        return -fake["logit"].mean()

    def discriminator_terms(self, real, fake):
        return {"discriminator": self.discriminator(real, fake)}

    def generator_terms(self, fake, real):
        return {"generator": self.generator(fake, real)}


class DerivedPairs(PairedLoss):
    default_inputs: ClassVar = {"logit": "adv.logit"}
    input_names = ("logit",)
    discriminator, generator = UnderivedPairs.discriminator, UnderivedPairs.generator


VIEWS = [Plain, Static, OfClass, ByName, Unlike, Underived]
PAIRS = [UnderivedPairs, DerivedPairs]


@pytest.fixture(autouse=True)
def registered():
    kept = snapshot()
    for kind in (*VIEWS, *PAIRS):
        LOSSES.register_module()(kind)
    yield
    restore(kept)


def terms(kind, inputs=None):
    """Return all terms of a loss as a model asks for them."""
    wired = WiredLoss("mine", LOSSES.build(dict(type=kind.__name__)), inputs, 1.0, AVAILABLE)
    given = [{**batch, "train.iteration": torch.tensor(0)} for batch in (REAL, FAKE)]
    return {**wired.discriminator(*given), **wired.generator(given[1], None)}


@pytest.mark.parametrize("kind", VIEWS)
def test_each_view_gets_what_it_names(kind):
    torch.testing.assert_close(terms(kind), {f"mine_{view}": value for view, value in SOFT.items()})


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_derived_or_not(kind):
    found = terms(kind)
    torch.testing.assert_close(
        found["mine_discriminator"], F.softplus(FAKE["adv.logit"] - REAL["adv.logit"]).mean()
    )
    torch.testing.assert_close(found["mine_generator"], -FAKE["adv.logit"].mean())


@pytest.mark.parametrize("kind", [*VIEWS, *PAIRS])
@pytest.mark.parametrize("inputs", [{"logits": "adv.logit"}, {"logit": "adv.logits"}])
def test_mistakes_in_the_wiring_are_named(kind, inputs):
    with pytest.raises(ValueError, match=r"losses\.mine: .*'(adv\.)?logits'"):
        terms(kind, inputs)


@pytest.mark.parametrize("kind", [kind for kind in VIEWS if kind is not Unlike])
def test_the_best_of_a_batch_with_any_loss_on_one_logit(kind):
    wrapped = TopKLoss(loss=dict(type=kind.__name__), epoch_length=1)
    found = wrapped.generated(FAKE["adv.logit"], torch.tensor(100))
    torch.testing.assert_close(found, real(FAKE["adv.logit"].max()))


def test_the_best_of_a_batch_needs_no_default_inputs():
    silent = type("Silent", (Plain,), {"default_inputs": {}})
    LOSSES.register_module()(silent)
    found = TopKLoss(loss=dict(type="Silent"), epoch_length=1).generated(FAKE["adv.logit"], torch.tensor(100))
    torch.testing.assert_close(found, real(FAKE["adv.logit"].max()))


@pytest.mark.parametrize("kind", [Unlike, *PAIRS])
def test_the_best_of_a_batch_refuses_other_kinds(kind):
    with pytest.raises(ValueError, match=rf"one logit in all views.*'{kind.__name__}'"):
        TopKLoss(loss=dict(type=kind.__name__), epoch_length=1)


@pytest.mark.parametrize(("base", "wanted"), [(Loss, "`real`"), (PairedLoss, "`discriminator`")])
def test_terms_without_views_are_refused_when_registered(base, wanted):
    alone = type("Alone", (base,), {"discriminator_terms": lambda self, real, fake: {}})
    with pytest.raises(ContractError, match=rf"Alone is no {base.contract.role}: writes none of {wanted}"):
        LOSSES.register_module()(alone)
