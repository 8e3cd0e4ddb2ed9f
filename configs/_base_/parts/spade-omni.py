# SPADE with the per-pixel omni-loss (Omni-GAN, Appendix H): the discriminator sees the image alone and gives
# every position C + 2 scores; the label map, resized to them, is the target. The rest is SPADE's.
_omni = dict(
    discriminator=dict(
        backbone=dict(num_map_classes=0),
        heads=dict(
            _delete_=True,
            omni_0=dict(type="PixelClassHead", feature="map", extra=2, kernel_size=4, spectral_norm=False),
            omni_1=dict(type="PixelClassHead", feature="map_1", extra=2, kernel_size=4, spectral_norm=False),
        ),
    ),
    losses=dict(
        adversarial=dict(
            _delete_=True,
            type="OmniLoss",
            inputs=dict(score=["omni_0.logits", "omni_1.logits"], label_map="cond.label_map"),
        ),
    ),
)
