_base_ = "./omnigan_biggan_cifar10-32.py"
model = dict(
    augment=dict(type="ADA", adapt=dict(target=0.6, kimg=500, logit="omni.score", reading="real_minus_fake")),
)
