"""The journal: entry types and their versions, the codec, the hash chain and the fold."""
