"""From dataset positions to frames: windows, rows, images, and the tensors made of them."""
