"""Video files of cameras: written image by image, read by position."""
