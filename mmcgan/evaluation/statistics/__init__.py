"""What figures are computed from: moments, distances, neighbours, references."""
