"""Backups of what only the database holds: made while all runs, proven in advance, restored whole."""
