"""From a folder of images to a training that fits the time: look, measure, propose, write a config."""
