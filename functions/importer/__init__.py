"""Files that appear in a bucket become events, properties and profiles."""
