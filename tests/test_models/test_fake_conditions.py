"""Which conditions the discriminator's fakes are of."""

import torch

from tests.test_models.stand_ins import batch
from tests.test_models.test_gan import make


def test_the_discriminator_may_learn_from_fakes_of_other_conditions():
    shown = dict(type="EmpiricalLabel", class_counts=[0, 0, 5])
    model, optimizers = make(discriminator_condition_sampler=shown)
    asked = {"discriminator": [], "generator": []}
    make_fakes = model.make_fakes

    def recorded(role, *arguments):
        fakes = make_fakes(role, *arguments)
        asked[role].append(fakes.condition.label)
        return fakes

    model.make_fakes = recorded
    for _ in range(5):
        model.train_step(batch(4), optimizers)
    assert set(torch.cat(asked["discriminator"]).tolist()) == {2}
    assert len(set(torch.cat(asked["generator"]).tolist())) > 1
    model.random.start(0)
    drawn = model.draw(50)[1].label
    assert len(drawn.unique()) == 3, "what is sampled is what the generator is asked for"
