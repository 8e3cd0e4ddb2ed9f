# Multi-task discriminator (StarGAN v2) on BigGAN's networks: a real/fake logit for every class; R1.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, adv=dict(type="PerClassHead"))),
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    regularizers=dict(r1=dict(type="R1", weight=1.0, reuse_scores=True)),
)
