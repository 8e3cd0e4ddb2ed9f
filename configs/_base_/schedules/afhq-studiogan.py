# AFHQ at StudioGAN's settings for BigGAN: the discriminator four times as fast.
_base_ = "./imagenet-studiogan.py"
