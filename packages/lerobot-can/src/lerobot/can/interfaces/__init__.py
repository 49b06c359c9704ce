"""CAN interfaces of this machine.

- `network`: which there are, and the commands that bring one up
- `command`: `lerobot setup-can`
- `installation`: what `lerobot doctor` says
"""
