_base_ = "./biggan_fashion-mnist-32.py"
model = dict(
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    augment=dict(type="APA", adapt=dict(target=0.6, kimg=100)),
)
