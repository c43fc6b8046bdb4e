"""Duplicates among labelled images, and their division into training, validation and test."""
