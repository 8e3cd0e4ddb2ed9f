_base_ = "./icgan_biggan_coco-stuff-128.py"
train_dataloader = dict(dataset=dict(dataset=dict(image_size=256)))
optim_wrapper = dict(discriminator=dict(optimizer=dict(lr=1e-4)))
