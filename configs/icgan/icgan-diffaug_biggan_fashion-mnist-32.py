_base_ = "./icgan_biggan_fashion-mnist-32.py"
# Translations, as the paper adds for ImageNet-LT and COCO-Stuff (App. B.2).
model = dict(augment=dict(type="DiffAugment", policy=("translation",)))
