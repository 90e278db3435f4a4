"""What head office knows, and does not know, of its fleet."""
