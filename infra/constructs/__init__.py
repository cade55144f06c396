"""Small constructs, each of which builds one thing."""
