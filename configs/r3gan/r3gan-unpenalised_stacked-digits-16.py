# The relativistic loss alone, without R1 and R2: what the penalties are for (R3GAN, Table 1).
_base_ = "./r3gan-unconditional_stacked-digits-16.py"
model = dict(regularizers=dict(_delete_=True))
default_hooks = dict(
    schedule=dict(
        values={
            "_delete_": True,
            "optimizer.generator.lr": dict(kind="cosine", start=5e-4, end=1e-4, until=250_000),
            "optimizer.discriminator.lr": dict(kind="cosine", start=5e-4, end=1e-4, until=250_000),
            "generator_ema.half_life_images": dict(kind="cosine", start=0, end=20_000, until=250_000),
        }
    )
)
