"""``mmcgan count-parameters``: how large a generator is."""


def declare(parser):
    """Add the arguments."""
    parser.description = "Count the parameters of a trained generator."
    parser.add_argument("model", help="what mmcgan sample takes")


def run(arguments):
    """Print the number; errors of the user's making are ValueErrors."""
    from mmcgan.apis import load_model

    network = load_model(arguments.model).model.generator
    print(f"{sum(parameter.numel() for parameter in network.parameters()):,} parameters")
