"""Gift cards, credit memos and all other central value at the till's page."""
