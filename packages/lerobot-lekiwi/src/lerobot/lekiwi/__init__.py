"""LeKiwi: an arm of an SO-101 on a base of three omnidirectional wheels.

- `config`: the robot on its own computer, and its client
- `keys`: what both ends call what is measured and commanded
- `base`: speeds of the wheels and velocity of the body
- `tables`, `robot`: the servos, and the robot on them; `virtual`: the robot without hardware
- `client`: the robot over the network; `leader`: what leads it
- `messages`, `sockets`, `zmq_client`: the messages of huggingface/lerobot; `host`, `command`: `lerobot lekiwi-host`
"""
