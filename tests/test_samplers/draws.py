"""What every sampler's draws hold to."""

import torch


def check_depends_on_the_generator_only(draw, sampler):
    first = draw(sampler, n=50)
    torch.manual_seed(5)
    assert torch.equal(first, draw(sampler, n=50))
    assert not torch.equal(first, draw(sampler, "another stream", n=50))
