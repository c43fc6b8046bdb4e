"""Stage 3: compares a generator, or a set of images, with real images and scores it."""
