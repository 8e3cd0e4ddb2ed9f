# Omni-GAN (Zhou et al., 2021): BigGAN's networks, one head of C + 2 scores, the omni-loss.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, omni=dict(type="OmniHead"))),
    losses=dict(_delete_=True, omni=dict(type="OmniLoss")),
)
