import pytest
import torch

from mmcgan.augments import APA
from mmcgan.random import make_generator
from mmcgan.structures import Condition, GANBatch


def batches(n=1000, **conditions):
    real = GANBatch(torch.ones(n, 3, 4, 4), Condition(label=torch.zeros(n, dtype=torch.long)))
    fake = GANBatch(
        -torch.ones(n, 3, 4, 4), Condition(label=torch.ones(n, dtype=torch.long)), torch.zeros(n, 2)
    )
    return real, fake


def test_a_share_p_of_real_images_is_generated_and_brings_its_label():
    real, fake = batches()
    shown, same = APA(p=0.3).pair(real, fake, make_generator(0))
    pseudo = shown.image[:, 0, 0, 0] < 0
    assert float(pseudo.float().mean()) == pytest.approx(0.3, abs=0.05)
    assert shown.condition.label.equal(pseudo.long())
    assert same is fake


def test_at_p_0_real_images_stay_and_images_are_never_changed():
    real, fake = batches(8)
    shown, _ = APA().pair(real, fake, make_generator(0))
    assert shown.image.equal(real.image)
    assert APA(p=1.0)(real.image, make_generator(0)).equal(real.image)


def test_gradients_reach_the_real_images_only():
    real, fake = batches(50)
    for part in (real, fake):
        part.image.requires_grad_()
    shown, _ = APA(p=0.5).pair(real, fake, make_generator(0))
    shown.image.sum().backward()
    assert fake.image.grad is None
    assert real.image.grad.sum() == real.image[0].numel() * (shown.image[:, 0, 0, 0] > 0).sum()


def test_unlabelled_real_images_keep_no_label():
    real, fake = batches(8)
    shown, _ = APA(p=0.5).pair(GANBatch(real.image, Condition()), fake, make_generator(0))
    assert shown.condition.present() == {}


def test_what_cannot_be_paired_is_refused():
    real, fake = batches(8)
    with pytest.raises(ValueError, match="8 real images cannot be paired with 4 generated"):
        APA(p=0.5).pair(real, fake[:4], make_generator(0))
    with pytest.raises(ValueError, match=r"generated images carry no \['label'\]"):
        APA(p=0.5).pair(real, GANBatch(fake.image, Condition()), make_generator(0))
