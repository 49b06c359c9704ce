"""{{ cookiecutter.title }}, a {{ cookiecutter.kind }} for LeRobot."""
