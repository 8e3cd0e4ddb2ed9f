# TAC-GAN (Gong et al., 2019) on BigGAN's networks: AC-GAN and a twin classifier of generated images,
# whose certainty the generator lowers.
_base_ = "./acgan.py"
model = dict(
    discriminator=dict(heads=dict(twin=dict(type="ClassifierHead"))),
    losses=dict(
        twin=dict(
            type="CrossEntropyLoss",
            inputs=dict(logits="twin.logits", label="cond.label"),
            weights=dict(fake=1.0, generated=-1.0),
        ),
    ),
)
