"""The command line: `app` starts it, `group` lists commands lazily, `run` runs one."""
