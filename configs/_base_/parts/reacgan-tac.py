# What TAC adds to a ReACGAN (ReACGAN, Appendix E): a twin of embeddings and proxies for generated images.
_tac = dict(
    discriminator=dict(heads=dict(twin=dict(type="ProxyHead", embed_dim=512))),
    losses=dict(
        twin=dict(
            type="D2DCELoss",
            temperature=0.5,
            positive_margin=0.98,
            inputs=dict(
                embed="twin.embed", proxy="twin.proxy", label="cond.label", iteration="train.iteration"
            ),
            weights=dict(fake=0.5, generated=-0.5),
        ),
    ),
)
