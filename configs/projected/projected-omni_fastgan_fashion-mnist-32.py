# The omni-loss on every scale.
_base_ = "./projected_fastgan_fashion-mnist-32.py"
model = dict(
    discriminator=dict(
        heads=dict(
            _delete_=True,
            omni=dict(type="EachScale", scales=3, head=dict(type="OnWindows", head=dict(type="OmniHead"))),
        )
    ),
    losses=dict(_delete_=True, omni=dict(type="OmniLoss")),
)
