-- Figures and what follows from them, for verification.

-- name: marks()
select mark, kind, store, sku, at_ms, figure_milli from stock_mark order by store, at_ms, mark;

-- name: derived()
select store, mark, sku, sum(quantity_milli)::numeric from stock_derived group by store, mark, sku;

-- name: moments()
select chain, seq, at_ms from stock_moment;
