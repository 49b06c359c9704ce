"""Edits of whole datasets: checked first, built aside, put in place in one step, undone in one step."""
