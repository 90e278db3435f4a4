"""Rows of made-up sales as head office stores them, for what PostgreSQL does alone."""

import random

from bench.tills import ARTICLES, LINES, articles
from holdfast.core.ingest.rows import Row

_ARTICLES = articles()


def document_rows(chain: int, first: int, count: int) -> dict[str, list[Row]]:
    """Rows of `document` and `document_line` in the order of their columns."""
    chance = random.Random(chain * 1_000_003 + first)
    documents: list[Row] = []
    lines: list[Row] = []
    for seq in range(first + 1, first + count + 1):
        total = 0
        for line in range(1, LINES + 1):
            article = _ARTICLES[chance.randrange(ARTICLES)]
            amount = article.amounts_minor[0]
            total += amount
            lines.append(
                (chain, seq, line, "S01", "2026-01-31", article.sku, article.text, 1_000, amount * 100,
                 amount, "standard", "Household and garden 7", -1_000, 7)
            )  # fmt: skip
        documents.append(
            (chain, seq, "sale", f"B01-{chain:05d}-{seq:06d}", "bench", "S01", "2026-01-31", "2026-01",
             1_790_000_000_000 + seq, 1_790_000_000_000, "EUR", total, total * 81 // 1_081, 0, LINES, None,
             None, "", "bench")
        )  # fmt: skip
    return {"document": documents, "document_line": lines}
