"""Files: written whole or not at all, and read as untrusted input; where runs lie."""
