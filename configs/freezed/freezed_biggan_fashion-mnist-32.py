_base_ = "../biggan/biggan_fashion-mnist-32.py"
# Fine-tunes a BigGAN of the same size and classes: --cfg-options load_from=FILE.pth. The first two
# stages of the discriminator stay as they were.
model = dict(discriminator=dict(freeze_stages=2))
