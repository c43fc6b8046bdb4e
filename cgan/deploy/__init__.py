"""Networks for other programs: ONNX, TorchScript, plain arrays, and a page for the browser."""
