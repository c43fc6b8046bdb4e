"""The base of all other packages: errors, device, random streams, signals, progress, version."""
