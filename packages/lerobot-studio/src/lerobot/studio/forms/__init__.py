"""Forms of commands: made from their configuration, a command line comes out."""
