"""Destinations and sources: one document each, the same in files, on the command line and in the table."""
