"""The published index: what the site, the feeds and the digests know of the content files."""
