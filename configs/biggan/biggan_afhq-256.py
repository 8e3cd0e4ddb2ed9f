_base_ = [
    "../_base_/models/biggan.py",
    "../_base_/datasets/afhq-256.py",
    "../_base_/schedules/afhq-studiogan.py",
]
model = dict(
    generator=dict(latent_dim=140, attention_resolutions=()),
    discriminator=dict(backbone=dict(attention_resolutions=())),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, split_d=True),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
