# CUB200 at ReACGAN's settings K and L (Table A1): the discriminator four times as fast.
_base_ = "./imagenet-studiogan.py"
train_cfg = dict(max_iters=40_000)
default_hooks = dict(generator_ema=dict(start=4000))
