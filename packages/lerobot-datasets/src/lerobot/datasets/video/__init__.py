"""Video files of cameras: written picture by picture, read by position."""
