"""From images to an instance store: features, neighbours, selected instances."""
