_base_ = "./icgan_stylegan2_coco-stuff-128.py"
# Learning rates and betas corrected for lazy regularisation, every 4 and 16 iterations.
model = dict(regularizers=dict(r1=dict(weight=0.5)))
train_dataloader = dict(dataset=dict(dataset=dict(image_size=256)))
optim_wrapper = dict(
    discriminator=dict(optimizer=dict(lr=0.003 * 16 / 17)), generator=dict(optimizer=dict(lr=0.003 * 4 / 5))
)
