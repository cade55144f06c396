"""What files a dataset becomes: how they are settled, named, split, packed, encrypted and accounted for."""
