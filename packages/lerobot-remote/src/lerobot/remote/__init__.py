"""What does not run in this process: robots, cameras, teleoperators, policies and environments behind a wire.

`newest`, `receiver` and `watchdog` serve every device of a network, whatever its protocol.
"""
