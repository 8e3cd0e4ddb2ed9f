# WGAN's critic on SNGAN's ResNets without any normalisation in the critic, no labels. The Lipschitz
# constraint is missing: every config adds its own.
_base_ = "./sngan-unconditional.py"
model = dict(
    discriminator=dict(
        backbone=dict(spectral_norm=None),
        heads=dict(adv=dict(type="AdversarialHead", spectral_norm=None)),
    ),
    losses=dict(adversarial=dict(_delete_=True, type="WassersteinLoss")),
    step=dict(n_critic=5, split_d=False),
)
