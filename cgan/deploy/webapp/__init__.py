"""A page on which a person asks for digits: its files, its directions, a server of this machine."""
