# FastGAN's generator (Liu et al., 2021) against an ordinary discriminator under DiffAugment; the authors' own
# discriminator, which reconstructs images, is not here. Projected discriminators are its stronger partner.
_base_ = "./biggan.py"
model = dict(
    generator=dict(_delete_=True, type="FastGANGenerator"),
    augment=dict(type="DiffAugment"),
    step=dict(split_d=True),
)
