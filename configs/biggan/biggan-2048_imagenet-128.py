_base_ = "./biggan_imagenet-128.py"
# Setting P of ReACGAN, Table A1: batch 2,048 of four mini-batches of 512.
model = dict(step=dict(d_accumulation=4, g_accumulation=4, split_d=True))
train_dataloader = dict(batch_size=512 * 4 * 2)  # mini-batch x accumulation x n_critic
