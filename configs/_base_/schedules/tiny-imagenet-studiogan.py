# Tiny-ImageNet at ReACGAN's settings I and J (Table A1): the discriminator four times as fast.
_base_ = "./imagenet.py"
train_cfg = dict(max_iters=100_000)
