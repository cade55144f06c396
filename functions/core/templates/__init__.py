"""Key templates: parsed once when a definition is loaded, rendered for every message."""
