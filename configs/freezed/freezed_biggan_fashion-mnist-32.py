_base_ = "../biggan/biggan_fashion-mnist-32.py"
# Fine-tunes a BigGAN of the same size: mmcgan train CONFIG --from FILE.pth. The first two
# stages of the discriminator stay as they were.
model = dict(discriminator=dict(freeze_stages=2))
