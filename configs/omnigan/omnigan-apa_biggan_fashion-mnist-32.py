_base_ = "./omnigan_biggan_fashion-mnist-32.py"
model = dict(
    augment=dict(type="APA", adapt=dict(target=0.6, kimg=100, logit="omni.score", reading="real_minus_fake")),
)
