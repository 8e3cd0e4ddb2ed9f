# BigGAN's generator against projected discriminators with a projection head on every scale.
_base_ = "./projected_fastgan_fashion-mnist-32.py"
model = dict(
    generator=dict(
        _delete_=True,
        type="BigGANGenerator",
        channels=(64, 64, 32, 16),
        latent_dim=80,
        shared_dim=64,
    ),
    discriminator=dict(
        heads=dict(
            _delete_=True,
            adv=dict(
                type="EachScale", scales=3, head=dict(type="OnWindows", head=dict(type="ProjectionHead"))
            ),
        )
    ),
)
