"""The till's database: the journal, document numbers, and the projections folded from them."""
