"""Recordings as MCAP logs of ROS 2 messages."""
