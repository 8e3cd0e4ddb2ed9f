# Larger images at StudioGAN's AFHQ settings; the average forgets half within 20,000 images.
_base_ = "stylegan2-cifar.py"
default_hooks = dict(generator_ema=dict(half_life_images=20_000, ramp_up=None))
