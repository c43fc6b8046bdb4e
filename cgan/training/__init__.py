"""Stages 1 and 2: the classifier, the GAN, and all that a training must remember."""
