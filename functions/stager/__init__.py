"""Rows of record messages are staged: kept in the data bucket, once each, until their run is delivered."""
