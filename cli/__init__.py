"""The command line `sluice`: thin commands over the functions' core and adapters."""
