"""`python -m lerobot_cli`: the command line of this very interpreter, wherever it is started from."""

from lerobot_cli import main

main()
