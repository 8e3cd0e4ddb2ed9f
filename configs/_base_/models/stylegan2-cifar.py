# StyleGAN2 for CIFAR: two mapping layers, no residuals in the discriminator, no style mixing, no path length.
_base_ = "stylegan2.py"
model = dict(
    generator=dict(mapping_layers=2, style_mixing=0.0),
    discriminator=dict(backbone=dict(architecture="orig", minibatch_group=32)),
    regularizers=dict(_delete_=True, r1=dict(type="R1", weight=0.01, interval=16, reuse_scores=True)),
)
