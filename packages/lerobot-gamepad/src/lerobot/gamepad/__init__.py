"""The gamepad as a teleoperator: `config` describes it, `pad` reads it, `teleoperator` makes actions of it."""
