"""A trained policy as one that is served: `lerobot serve --policy.path=FOLDER`."""
