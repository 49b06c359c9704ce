"""Policies behind the wire: a checkpoint served to others, and a policy of others that acts as if it were here."""
