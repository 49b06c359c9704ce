"""A policy behind the wire, which acts as if it were here."""
