"""HopeJR: an arm and a hand, and what leads them, worn on one's own arm and hand.

- `config`: configurations of all four
- `tables`: the servos of the arm and of both hands
- `arm`, `hand`: the robots; what they share with other servo arms stands in `lerobot.motors.arms`
- `sensors`: the sensors of the exoskeleton and of both gloves
- `homunculus`: what the teleoperators share; `exoskeleton`, `glove`: each of them
- `virtual`: an arm and a hand without hardware
"""
