_base_ = "./reacgan_biggan_imagenet-128.py"
# Setting Q of ReACGAN, Table A1: batch 2,048 of four mini-batches of 512.
model = dict(
    losses=dict(
        contrastive=dict(temperature=0.25, positive_margin=0.9, weights=dict(real=0.5, generated=0.5))
    ),
    step=dict(d_accumulation=4, g_accumulation=4),
)
train_dataloader = dict(batch_size=512 * 4 * 2)  # mini-batch x accumulation x n_critic
train_cfg = dict(max_iters=200_000)
