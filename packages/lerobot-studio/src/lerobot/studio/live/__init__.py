"""The connections of running commands and of open pages: who controls, who watches, and the emergency stop."""
