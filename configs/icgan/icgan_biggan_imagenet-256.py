_base_ = "./icgan_biggan_imagenet-128.py"
model = {{_base_._networks_256}}
train_dataloader = dict(batch_size=2048 * 2, dataset=dict(dataset=dict(image_size=256)))
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-4)))
