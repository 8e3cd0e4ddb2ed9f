"""What ``mmcgan doctor`` finds out about an installation and the machine it is on."""
