"""Names of fixed length for names of any."""

import hashlib


def digest(*names: str) -> str:
    """A name for these names together: 32 hexadecimal digits; no two lists of names have the same."""
    whole = hashlib.sha256()
    for name in names:
        data = name.encode(errors="surrogatepass")
        whole.update(len(data).to_bytes(8) + data)
    return whole.hexdigest()[:32]
