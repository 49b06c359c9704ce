"""Making a trained policy better where it acts, round by round.

`judgement` counts successes, `collection` plays and keeps what happened, `imitation` and `reinforcement` learn from it,
`rounds` remembers how far it is, `command` does all of it in turn.
"""
