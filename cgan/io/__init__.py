"""Files: atomic writes, reading of untrusted input, and where runs are stored."""
