"""The omni-loss over groups of attributes: Omni-GAN, Eqs 25 to 29."""

import math
from random import Random

import pytest
import torch

from mmcgan.attributes import AttributeGroups
from mmcgan.losses import OmniLoss

MNIST_SVHN = {"digit": [str(i) for i in range(10)], "domain": ["mnist", "svhn"]}


def closed_form(score, vector):
    """Eq. 5 for a vector of +1, -1 and 0 (ignored), with plain exponentials."""
    low = sum(math.exp(s) for s, y in zip(score, vector, strict=True) if y == -1)
    high = sum(math.exp(-s) for s, y in zip(score, vector, strict=True) if y == 1)
    return math.log1p(low) + math.log1p(high)


def paper_vectors(groups, chosen):
    """y of real and generated (Eqs 25 and 28) and of fake images (Eq. 26): class, domain, ..., reality."""
    real = [1 if value else -1 for value in groups.matching(chosen)[0].tolist()] + [1, -1]
    return {"real": real, "generated": real, "fake": [-1] * len(groups) + [-1, 1]}


@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_the_vectors_of_the_paper(view):
    groups = AttributeGroups.from_config(MNIST_SVHN)
    chosen = {"digit": "4", "domain": "mnist"}
    if view != "fake":
        # Eq. 25: [-1, ..., 1_gt, ..., -1 | 1_mnist, -1 | 1_real, -1]: three positive labels
        assert paper_vectors(groups, chosen)[view] == [-1] * 4 + [1] + [-1] * 5 + [1, -1] + [1, -1]
    score = torch.randn(1, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = getattr(OmniLoss(), view)(score, attributes=groups.matching(chosen))
    expected = closed_form(score[0].tolist(), paper_vectors(groups, chosen)[view])
    assert value.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("view", ["real", "fake", "generated"])
@pytest.mark.parametrize("seed", range(15))
def test_any_groups_equal_the_closed_form(seed, view):
    random = Random(seed)
    sizes = [random.randint(2, 6) for _ in range(random.randint(1, 4))]
    free, spread = random.randint(0, 4), random.choice([0.1, 1.0, 20.0])
    spec = {f"g{i}": [str(j) for j in range(size)] for i, size in enumerate(sizes)}
    if free:
        spec["z"] = {"any_of": [f"t{j}" for j in range(free)]}
    groups = AttributeGroups.from_config(spec)
    source = torch.Generator().manual_seed(seed)
    score = spread * torch.randn(3, len(groups) + 2, dtype=torch.float64, generator=source)
    rows = torch.stack([groups.combination(seed + i) for i in range(3)])
    rows[:, sum(sizes) :] = torch.randint(2, (3, free), generator=source).float()
    expected = []
    for line, row in zip(score.tolist(), rows.tolist(), strict=True):
        asked = [1 if value else -1 for value in row] + [1, -1]
        fake = [-1] * len(groups) + [-1, 1]
        expected.append(closed_form(line, fake if view == "fake" else asked))
    value = getattr(OmniLoss(), view)(score, attributes=rows)
    assert value.item() == pytest.approx(sum(expected) / 3, rel=1e-10)


@pytest.mark.parametrize("view", ["real", "fake", "generated"])
@pytest.mark.parametrize("one_sided", [False, True])
def test_gradients(view, one_sided):
    groups = AttributeGroups.from_config({"a": ["x", "y", "z"], "b": {"any_of": ["u", "v"]}})
    rows = torch.tensor([[1.0, 0, 0, 1, 1], [0, 0, 1, 0, 0]])
    groups.check(rows, "test")
    loss = OmniLoss(one_sided=one_sided)
    score = torch.randn(2, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: getattr(loss, view)(s, attributes=rows), score)


def test_a_generated_image_is_pulled_to_its_own_attribute_of_every_group():
    groups = AttributeGroups.from_config(MNIST_SVHN)
    score = torch.zeros(1, 14, requires_grad=True)
    OmniLoss().generated(score, attributes=groups.matching({"digit": "7", "domain": "svhn"})).backward()
    up = (score.grad[0] < 0).nonzero().flatten().tolist()
    assert up == [7, 11, 12]
