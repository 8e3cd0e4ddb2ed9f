# Multi-hinge GAN's classes and "generated" on every scale.
_base_ = "./projected_fastgan_fashion-mnist-32.py"
model = dict(
    discriminator=dict(
        heads=dict(
            _delete_=True,
            cls=dict(
                type="EachScale", scales=3, head=dict(type="OnWindows", head=dict(type="FakeClassHead"))
            ),
        )
    ),
    losses=dict(
        _delete_=True,
        multi_hinge=dict(type="MultiHingeLoss", weights=dict(real=1.0, fake=1.0, generated=1.0)),
    ),
)
