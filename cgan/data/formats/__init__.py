"""Labelled images in array files and Parquet, and the data sets that torchvision downloads."""
