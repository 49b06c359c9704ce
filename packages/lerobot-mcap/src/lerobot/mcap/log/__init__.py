"""Logs as files: their records, chunks and messages, without what the messages mean."""
