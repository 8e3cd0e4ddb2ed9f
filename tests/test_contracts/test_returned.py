"""Classes that keep their contract and return something else, or let an error out: what check-config says."""

import pytest

from mmcgan import registry as r
from mmcgan.apis.check import check_config
from tests.test_contracts import strangers
from tests.test_contracts.strangers import STRANGERS

CONFIG = """
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
model = dict(
    generator=dict(_delete_=True, type="StrangeGenerator"),
    discriminator=dict(backbone=dict(_delete_=True, type="StrangeBackbone"),
                       heads=dict(_delete_=True, adv=dict(type="StrangeHead"))),
    losses=dict(_delete_=True, one=dict(type="StrangeLoss"), two=dict(type="StrangePairs")),
    regularizers=dict(small=dict(type="StrangeRegularizer")),
    augment=dict(type="StrangeAugment"),
    latent_sampler=dict(type="StrangeLatents"),
    condition_sampler=dict(_delete_=True, type="StrangeConditions"),
)
train_dataloader = dict(dataset=dict(_delete_=True, type="StrangeDataset"))
val_evaluator = test_evaluator = dict(
    _delete_=True, type="GenerationEvaluator", metrics=[dict(type="StrangeMetric")],
    extractor=dict(type="StrangeExtractor"))
default_hooks = dict(checkpoint=dict(save_best="strange_figure"))
"""
#: class -> the method that a run asks, by which it can go wrong
ASKED = {
    "StrangeGenerator": "synthesize",
    "StrangeBackbone": "forward",
    "StrangeHead": "forward",
    "StrangeLoss": "fake",
    "StrangePairs": "discriminator",
    "StrangeRegularizer": "forward",
    "StrangeAugment": "transform",
    "StrangeLatents": "sample",
    "StrangeConditions": "sample",
    "StrangeDataset": "__getitems__",
    "StrangeMetric": "compute",
    "StrangeExtractor": "encode",
}


@pytest.fixture
def checked(tmp_path):
    """Return a function that checks the config with one class replaced."""
    before = r.snapshot()

    def check(name=None, method=None, value=None):
        for table, kinds in STRANGERS.items():
            for kind in kinds:
                members = {method: value} if kind.__name__ == name else {}
                made = type(kind.__name__, (kind,), {"__module__": strangers.__name__, **members})
                if table != "CONDITION_FIELDS":
                    getattr(r, table).register_module(module=made)
        (tmp_path / "strange.py").write_text(CONFIG)
        return check_config(tmp_path / "strange.py").error

    yield check
    r.restore(before)


def nothing(self, *given, **named):
    return "nothing of use"


def lost(self, *given, **named):
    return {}["a key that is not there"]


def lost_loss(self, logit):
    return lost(self)


def some(name):
    """Return a parameter that is slow but for three roles, as a check takes a second."""
    quick = name in ("StrangeGenerator", "StrangeHead", "StrangeExtractor")
    return pytest.param(name, marks=() if quick else pytest.mark.slow)


def test_every_role_of_a_run_can_be_somebody_elses(checked):
    assert checked() == ""


@pytest.mark.parametrize("name", [some(name) for name in ASKED if name != "StrangeDataset"])
def test_what_is_returned_wrongly_names_the_class(checked, name):
    said = checked(name, ASKED[name], nothing)
    assert name in said, said
    assert not any(word in said for word in ("AttributeError", "KeyError", "TypeError", "Traceback")), said


@pytest.mark.parametrize("name", [some(name) for name in ASKED])
def test_an_error_that_a_class_lets_out_names_it_and_where(checked, name):
    said = checked(name, ASKED[name], lost_loss if name == "StrangeLoss" else lost)
    assert f"{name}.lost" in said and "KeyError: 'a key that is not there'" in said, said
    assert "test_returned.py:" in said
