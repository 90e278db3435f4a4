"""Head office's web server: the protocol that registers speak, and the pages that people read."""
