"""Models that several processes hold together, each a part: FSDP2 of torch."""
