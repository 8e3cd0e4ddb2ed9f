_base_ = "./icgan-class_biggan_fashion-mnist-32.py"
# The instance enters through the projection head's logit, the class through the omni-loss.
model = dict(
    discriminator=dict(
        heads=dict(adv=dict(num_classes=0), omni=dict(type="OmniHead")),
    ),
    losses=dict(omni=dict(type="OmniLoss")),
)
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
