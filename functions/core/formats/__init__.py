"""File formats: each reads rows from a binary stream and writes rows to one; none knows a bucket."""
