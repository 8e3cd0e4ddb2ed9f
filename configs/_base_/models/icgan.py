# IC-GAN (Casanova et al., 2021) on BigGAN's networks: conditioned on the features of an instance, no labels.
# The store of features and neighbours comes from `mmcgan prepare-instances`; its path stands in the data set.
_base_ = "./biggan.py"
model = dict(
    generator=dict(num_classes=0, instance_embedding_dim=512),
    discriminator=dict(heads=dict(_delete_=True, adv=dict(type="ConditionProjectionHead", num_classes=0))),
    condition_sampler=dict(_delete_=True, type="AllInstances", num_classes=0),
)
