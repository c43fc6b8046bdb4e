"""Stages 1 and 2: training of the classifiers and of the GAN, checkpoints and history."""
