# The networks, data and schedule of mmcgan's digits config with this plugin's head and loss.
_base_ = "{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, cosine=dict(type="CosineHead"))),
    losses=dict(
        _delete_=True,
        logistic=dict(type="LogisticLoss", scale=4.0, inputs=dict(score="cosine.similarity")),
    ),
)
