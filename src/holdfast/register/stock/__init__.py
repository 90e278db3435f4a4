"""Stock at one till: what head office last told of the store, what moved since, what is being counted."""
