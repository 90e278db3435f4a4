"""What head office makes of a batch: facts and entries in, rows out."""
