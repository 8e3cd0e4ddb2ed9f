_base_ = ["../_base_/models/mhgan.py", "../_base_/recipes/imagenet-128_imagenet-studiogan.py"]
# Setting M of ReACGAN, Table A1: batch 256, two critic updates. The loader batch is that of one
# process: divide it by the number of GPUs, and raise d_accumulation if it does not fit.
model = dict(
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, split_d=True),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x n_critic
