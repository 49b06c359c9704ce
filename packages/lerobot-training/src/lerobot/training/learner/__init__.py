"""What learns: the protocol the loop knows, and its implementations."""
