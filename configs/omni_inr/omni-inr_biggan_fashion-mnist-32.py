_base_ = "../omnigan/omnigan_biggan_fashion-mnist-32.py"
# The same networks, optimisers and weight decay as Omni-GAN there, for images of any size.
model = dict(
    generator=dict(implicit=dict(hidden=(32, 32))),
    discriminator=dict(backbone=dict(attention_resolutions=())),
)
