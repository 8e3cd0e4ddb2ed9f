# A projected discriminator without labels: one logit a patch.
_unconditional = dict(
    generator=dict(num_classes=0),
    discriminator=dict(
        heads=dict(
            adv=dict(
                head=dict(
                    _delete_=True,
                    type="PatchHead",
                    kernel_size=4,
                    padding=0,
                    bias=False,
                    spectral_norm=dict(eps=1e-12, iterate_in_eval=False),
                )
            )
        )
    ),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
