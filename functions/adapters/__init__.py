"""The only code that knows the shapes of AWS."""
