"""Commands that the studio starts: processes of their own, which outlive it."""
