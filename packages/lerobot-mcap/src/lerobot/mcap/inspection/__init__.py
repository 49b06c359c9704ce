"""What a log holds, and the contract that it may be imported by."""
