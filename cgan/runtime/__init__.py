"""What all else stands on: errors, device, random streams, signals, progress, version."""
