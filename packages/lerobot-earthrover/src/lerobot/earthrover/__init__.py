"""EarthRover Mini+: a rover that is driven, and watched, through the local server of its vendor's SDK.

- `config`: the robot; `commands`, `command`: `lerobot virtual-earthrover`
- `keys`: what is measured and commanded
- `sdk`: one HTTP connection to the SDK's server; `messages`: what it says; `route`: asking it again and again
- `camera`: the pictures; `commander`: the newest command on its way; `robot`: all of it together
- `virtual`: the SDK's server, without SDK and rover
"""
