"""A web page that draws images on request: its files, its sliders, a local server."""
