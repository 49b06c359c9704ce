"""CAN motors: Damiao and RobStride, over SocketCAN, slcan and serial adapters, with virtual motors."""
