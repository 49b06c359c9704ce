"""RobStride motors, in their "MIT" protocol with 11-bit identifiers.

- `protocol`: their frames
- `bus`: several of them
"""
