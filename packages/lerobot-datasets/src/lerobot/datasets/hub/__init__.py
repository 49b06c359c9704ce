"""Datasets on the Hugging Face Hub: looked for on this computer first, fetched file by file, uploaded in one commit."""
