_base_ = "./icgan-class_biggan_imagenet-lt-128.py"
model = dict(
    generator=dict(attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(attention_resolutions=(32,))),
    step=dict(n_critic=1),
)
train_dataloader = dict(batch_size=128 * 1, dataset=dict(dataset=dict(image_size=64)))  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-5)), discriminator=dict(optimizer=dict(lr=1e-3)))
