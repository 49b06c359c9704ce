"""What a dataset is, told to programs."""
