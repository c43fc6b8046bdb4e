"""Labelled images of any kind become a data set: equal in size and mode, split, and stored."""
