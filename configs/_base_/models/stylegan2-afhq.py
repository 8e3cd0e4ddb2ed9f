# StyleGAN2 for AFHQ. StudioGAN trains at 512 x 512: --cfg-options train_dataloader.dataset.image_size=512
# model.generator.channel_base=32768 model.discriminator.backbone.channel_base=32768.
_base_ = "stylegan2.py"
model = dict(
    discriminator=dict(backbone=dict(minibatch_group=8)),
    regularizers=dict(r1=dict(weight=0.5)),
)
