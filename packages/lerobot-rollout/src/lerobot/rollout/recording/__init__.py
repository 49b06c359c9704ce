"""Recording beside a robot that goes on.

Nothing that is stored holds the control loop, and nothing is uploaded before the robot is at rest. `background` stores
rows in a thread of its own, `stream` makes them of ticks and cuts them into episodes, `session` opens and closes
everything around.
"""
