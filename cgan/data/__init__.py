"""Data sets and images: splits of uint8 tensors, augmentation, importing, grids of pictures."""
