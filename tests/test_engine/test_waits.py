"""A training step lets the device go on: it reads nothing back and copies nothing that is waited for.

torch's ``meta`` device stands for an accelerator: its tensors have no contents, so that whatever asks for
them is seen. Latents, conditions and images are drawn on the host as ever.
"""

from contextlib import nullcontext

import pytest
import torch
from mmengine.registry import init_default_scope
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import mmcgan.random as streams
from mmcgan.augments import Augment
from mmcgan.models import random_source
from mmcgan.models.gan import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import AUGMENTS, OPTIMIZERS
from tests.test_combinations import BATCH, LABELLED, NETWORKS, SIZE, UNLABELLED, build
from tests.test_models.stand_ins import config
from tests.test_regularizers.test_registry import ARGUMENTS
from tests.test_regularizers.test_registry import ours as regularizers

DEVICE = "meta"
READS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::_unique2", "aten::bincount", "aten::equal")
OWN = [name for name in AUGMENTS.names() if AUGMENTS.get(name).__module__.startswith("mmcgan.")]


class Waits(TorchDispatchMode):
    """Notes what would wait for the device: reads of its contents, copies to the host or, unless they are
    declared ``non_blocking``, from it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = func._schema.name
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        there = any(tensor.is_meta for tensor in given)
        goes_to = torch.device(kwargs.get("device") or ("meta" if there else "cpu")).type
        if there and (name in READS or goes_to == "cpu"):
            self.seen.append(name)
            return False if name in READS else torch.zeros(given[0].shape, dtype=given[0].dtype)
        if given and not there and goes_to == DEVICE and not kwargs.get("non_blocking"):
            self.seen.append(f"{name} from the host")
        if there or goes_to == DEVICE:
            kwargs.pop("generator", None)
        return without_generator(func, "generator" in kwargs)(*args, **kwargs)


def without_generator(func, has_one):
    """Return the form of a drawing operation that needs no generator of the device."""
    if has_one or "generator" not in func._overloadname:
        return func
    parts = [part for part in func._overloadname.split("_") if part != "generator"]
    return getattr(func.overloadpacket, "_".join(parts) or "default")


class OfTheDevice(torch.Generator):
    """A generator of the host that says it is the device's."""

    device = property(lambda self: torch.device(DEVICE))


@pytest.fixture
def device(monkeypatch):
    """Let the meta device have generators and autocast, and numbers copied to it be noticed."""
    init_default_scope("mmcgan")
    make, autocast = streams.make_generator, torch.autocast

    def generator(*parts, device="cpu"):
        return OfTheDevice() if torch.device(device).type == DEVICE else make(*parts, device=device)

    for module in (streams, random_source):
        monkeypatch.setattr(module, "make_generator", generator)
    monkeypatch.setattr(
        torch, "autocast", lambda kind, *a, **k: nullcontext() if kind == DEVICE else autocast(kind, *a, **k)
    )
    for name in ("tensor", "as_tensor"):
        monkeypatch.setattr(torch, name, on_the_host(getattr(torch, name)))


def on_the_host(make):
    """Return ``torch.tensor`` that notes numbers which it would have to copy to the device."""

    def made(data, *arguments, device=None, **options):
        if not isinstance(data, torch.Tensor) and torch.device(device or "cpu").type == DEVICE:
            torch.zeros(()).to(DEVICE)
        return make(data, *arguments, device=device, **options)

    return made


def waits_of(model, data, iterations=2, **player):
    """Return what the last of some training steps waits for; ``player`` goes into both optimisers."""
    model.to_empty(device=DEVICE)
    model.data_preprocessor._device = torch.device(DEVICE)
    section = dict(optimizer=dict(type="Adam", lr=1e-3, betas=(0.0, 0.99))) | player
    settings = dict(precision="float32", generator=dict(section), discriminator=dict(section))
    codes = [f"discriminator.heads.{head}.*" for head in model.discriminator.heads if head.endswith("_code")]
    if codes:
        settings["generator"]["adopts"] = codes
    optimizers = GANOptimWrapperConstructor(settings)(model)
    for _ in range(iterations):  # constants are copied once
        with Waits() as waits:
            model.train_step(data, optimizers)
    return waits.seen


OPTIMISERS = [name for name in OPTIMIZERS.names() if OPTIMIZERS.get(name).__module__.startswith("mmcgan.")]


def images():
    """Return a batch of the host."""
    data = {"image": torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)}
    return data | {"label": torch.tensor([0, 1, 0, 2])}


@pytest.mark.parametrize("network", NETWORKS)
def test_no_network_waits(device, network):
    assert waits_of(build(network, "projection", True), images()) == []


@pytest.mark.broad  # some ten seconds and more on an old processor
def test_no_head_and_no_loss_waits(device):
    found = {name: waits_of(build("dcgan", name, True), images(), 1) for name in UNLABELLED | LABELLED}
    assert {name: seen for name, seen in found.items() if seen} == {}


def linear(**changes):
    """Return a model of linear networks at ``SIZE`` pixels."""
    backbone = dict(type="LinearBackbone", image_size=SIZE)
    networks = dict(
        generator=dict(type="LinearGenerator", image_size=SIZE),
        discriminator=dict(backbone=backbone, heads=dict(adv=dict(type="LabelledHead"))),
    )
    return ConditionalGAN(**config(**networks, **changes))


@pytest.mark.parametrize("name", OWN)
def test_no_augmentation_waits(device, name):
    more = {"ComposeAugments": dict(augments=[dict(type="DiffAugment")])}.get(name, {})
    assert waits_of(linear(augment=dict(type=name, **more)), images()) == []


@pytest.mark.parametrize("name", regularizers())
def test_no_regularizer_waits(device, name):
    more = ARGUMENTS.get(name, {})
    if "outputs" in more:
        more = more | dict(outputs=["adv.logit"])
    if name == "GradientClipping":
        more = dict(max_norm=1.0, parameters=["backbone.*"])
    assert waits_of(linear(regularizers=dict(r=dict(type=name, **more))), images()) == []


@pytest.mark.parametrize("name", ["Adam", "AdamW", *OPTIMISERS])
def test_no_optimizer_and_no_clipping_waits(device, name):
    settings = dict(type=name, lr=1e-3, weight_decay=0.1)
    assert waits_of(linear(), images(), optimizer=settings, clip_grad=dict(max_norm=1.0)) == []


@AUGMENTS.register_module(force=True)
class Asking(Augment):
    """Waits in three ways."""

    def transform(self, image, draws):
        if image.mean() > 2:
            return image
        return image.cpu().to(DEVICE) * torch.tensor([1.0], device=image.device)


def test_what_waits_is_seen(device):
    seen = waits_of(linear(augment=dict(type="Asking")), images())
    assert {*seen} == {"aten::_local_scalar_dense", "aten::_to_copy", "aten::_to_copy from the host"}
