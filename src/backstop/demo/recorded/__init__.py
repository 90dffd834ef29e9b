"""A folder of recordings, served as the feeds would have served it."""
