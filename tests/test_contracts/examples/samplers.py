"""Settings of laws of latents and conditions, and of rules that move latents."""

CLASSES = 3
GROUPS = dict(attribute_groups={"digit": ["0", "1"], "colour": ["red", "green", "blue"]})
COUNTS = [[[0, 3], 3], [[2, 4], 1]]
STORE = dict(instance_store=dict(size=24, dim=6, num_classes=CLASSES))
SAMPLERS = {
    "UniformLabel": dict(num_classes=CLASSES),
    "EmpiricalLabel": dict(class_counts=(1, 2, 3)),
    "TemperatureLabel": dict(class_counts=(1, 2, 3), temperature=2.0),
    "BalancedLabel": dict(num_classes=CLASSES),
    "ConstantLabel": dict(label=1),
    "UniformAttributes": GROUPS,
    "EmpiricalAttributes": dict(attribute_counts=COUNTS, **GROUPS),
    "ChosenAttributes": dict(attributes=dict(digit="1"), **GROUPS),
    "AllInstances": STORE,
    "RandomInstances": dict(size=4, **STORE),
    "ClassInstances": dict(num_classes=CLASSES, **STORE),
    "KMeansInstances": STORE,
    "WeightedInstances": dict(weights=[1.0, 2.0] * 12, **STORE),
    "RealCondition": dict(dataset=dict(type="SyntheticImages", num_classes=CLASSES, image_size=8)),
    "LangevinLatents": dict(steps=5),
}
