# The omni-loss on R3GAN's networks, with R1 and R2 of how much more real than fake an image looks.
_base_ = "../r3gan/r3gan_fashion-mnist-32.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, omni=dict(type="OmniHead", spectral_norm=None))),
    losses=dict(_delete_=True, omni=dict(type="OmniLoss")),
    regularizers=dict(
        r1=dict(logit="omni.score", reading="real_minus_fake"),
        r2=dict(logit="omni.score", reading="real_minus_fake"),
    ),
)
default_hooks = dict(
    schedule=dict(
        values={
            "regularizers.r1.weight": dict(start=0.01, end=0.001),
            "regularizers.r2.weight": dict(start=0.01, end=0.001),
        }
    )
)
