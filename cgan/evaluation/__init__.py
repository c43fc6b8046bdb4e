"""Stage 3: a generator, or a set of images, is compared with real images and scored."""
