"""reBot B601 followers and reBot 102 leaders, single and in pairs."""
