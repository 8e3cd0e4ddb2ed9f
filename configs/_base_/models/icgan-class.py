# Class-conditional IC-GAN: label (128) and instance (512) side by side in the generator, half of the
# projection each in the discriminator. Fakes get the label of a random neighbour of their instance.
_base_ = "./biggan.py"
model = dict(
    generator=dict(instance_embedding_dim=512),
    discriminator=dict(heads=dict(_delete_=True, adv=dict(type="ConditionProjectionHead"))),
    condition_sampler=dict(_delete_=True, type="AllInstances"),
)
