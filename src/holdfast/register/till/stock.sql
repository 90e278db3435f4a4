-- What this till moved of stock.

-- name: movements_after(first, last)
-- Entries of documents in a stretch of one epoch, in their order.
select id, data from entry
where id between :first and :last
  and type in ('sale', 'return', 'stock_adjusted', 'stock_counted', 'stock_transferred')
order by id;

-- name: moved(after, at_most)
select sku, quantity_milli from stock where sku > :after order by sku limit :at_most;
