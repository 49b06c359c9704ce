"""EarthRover Mini Plus over its SDK's HTTP server, driven by the keyboard."""
