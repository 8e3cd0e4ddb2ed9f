# The logistic loss in the place of the hinge, unconditional.
_base_ = "./biggan-unconditional_stacked-digits-16.py"
model = dict(losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")))
