_base_ = "./icgan_biggan_imagenet-256.py"
# Full capacity; the paper's tables have half of it (ch64).
model = dict(generator=dict(base_channels=96), discriminator=dict(backbone=dict(base_channels=96)))
