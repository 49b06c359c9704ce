"""MCAP and ROS 2 bags: imported by a contract of topics, and written from recordings."""
