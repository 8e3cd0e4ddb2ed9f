"""The data sets by name, and folders of images."""
