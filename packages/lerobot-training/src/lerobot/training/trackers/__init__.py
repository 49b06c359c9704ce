"""What writes down how a run goes; each is a hook plugin."""
