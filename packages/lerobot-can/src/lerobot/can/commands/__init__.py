"""Commands this package adds."""
