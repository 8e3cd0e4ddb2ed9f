# No textured 3, plain 5 or textured 8 is ever seen, and in training none is asked for: what the generator
# makes of these pairs it has from the digit and the domain alone.
_base_ = "./omnigan-multi-label_biggan_two-domain-digits-16.py"
train_dataloader = dict(
    dataset=dict(
        leave_out=[
            dict(digit="3", domain="textured"),
            dict(digit="5", domain="plain"),
            dict(digit="8", domain="textured"),
        ]
    )
)
model = dict(condition_sampler=dict(type="EmpiricalAttributes"))
