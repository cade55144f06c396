"""The converter language: how a source record becomes one output object."""
