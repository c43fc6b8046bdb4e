"""Data sets and images: splits of uint8 tensors, augmentation, import, grids of images."""
