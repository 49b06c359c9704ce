"""Published datasets by name: BridgeData V2, DROID, subsets of Open X-Embodiment, UMI."""
