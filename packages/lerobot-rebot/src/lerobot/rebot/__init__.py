"""reBot B601 followers and reBot 102 leaders, single and in pairs.

- `config`: all four devices; `tables`: joints, ranges and motors
- `follower`: the B601, Damiao motors on a CAN bus
- `packets`, `chain`: the smart servos of the 102, on a serial line; `leader`: the 102
- `bimanual`: pairs
- `virtual`, `virtual_servo`: both arms without hardware
"""
