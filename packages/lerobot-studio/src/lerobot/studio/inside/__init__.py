"""What runs inside a command that the studio started: a link to the studio, and a teleoperator that is its page."""
