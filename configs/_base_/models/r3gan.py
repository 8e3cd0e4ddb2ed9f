# R3GAN's objective (Huang et al., 2024): relativistic pairs, R1 and R2, no spectral norm; projection for
# the classes. On SNGAN's ResNets, not on R3GAN's own networks.
_base_ = "./sngan.py"
model = dict(
    discriminator=dict(
        backbone=dict(spectral_norm=None),
        heads=dict(adv=dict(type="ProjectionHead", spectral_norm=None)),
    ),
    losses=dict(adversarial=dict(_delete_=True, type="RelativisticLoss")),
    regularizers=dict(r1=dict(type="R1", weight=0.05), r2=dict(type="R2", weight=0.05)),
    step=dict(n_critic=1, split_d=False),
)
