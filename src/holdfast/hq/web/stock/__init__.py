"""The pages of stock: levels, what each is made of, transfers, setting to zero, and the proof (ST2, ST3)."""
