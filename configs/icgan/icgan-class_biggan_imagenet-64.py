_base_ = "./icgan-class_biggan_imagenet-128.py"
model = {{_base_._networks_64}}
train_dataloader = dict(batch_size=256 * 1, dataset=dict(dataset=dict(image_size=64)))  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-4)))
