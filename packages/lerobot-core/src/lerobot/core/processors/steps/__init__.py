"""The steps of core: robot-side, and free of any array framework.

Steps that solve kinematics (`ee_reference_and_delta`, `inverse_kinematics_*`, `forward_kinematics_*`) need a solver and
live in a plugin; steps that work on tensors live in `lerobot-policies`.
"""
