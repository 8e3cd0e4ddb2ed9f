# What ADC adds to a ReACGAN: ADC over embeddings: a second proxy of every class, for generated images.
_adc = dict(
    discriminator=dict(heads=dict(cls=dict(type="DiscriminativeProxyHead", embed_dim=512))),
    losses=dict(
        generated_proxy=dict(
            type="D2DCELoss",
            temperature=0.5,
            positive_margin=0.98,
            inputs=dict(
                embed="cls.embed", proxy="cls.fake_proxy", label="cond.label", iteration="train.iteration"
            ),
            weights=dict(fake=0.5, generated=-0.5),
        ),
    ),
)
