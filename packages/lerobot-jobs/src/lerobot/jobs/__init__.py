"""Large jobs as plans: shards of JSON, workers by name, receipts, one commit; on this machine or on an engine."""
