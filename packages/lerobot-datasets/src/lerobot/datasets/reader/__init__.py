"""From dataset positions to frames: windows, rows, pictures, and the tensors made of them."""
