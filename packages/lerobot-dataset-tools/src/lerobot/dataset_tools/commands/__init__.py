"""Configurations of this package's commands; light, because the command line imports them for `--help`."""
