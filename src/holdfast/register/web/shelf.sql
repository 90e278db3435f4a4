-- What the till's page shows to touch, from the sync process's database.

-- name: versions()
-- Changes whenever the catalogue or a price did.
select feed, incarnation, n from feed_version where feed in ('products', 'prices') and is_current = 1 order by feed;

-- name: loose_products(at_most)
-- What no scanner can find, by department.
select row.body
from feed_row row
join feed_version version on version.feed = row.feed and version.generation = row.generation
where row.feed = 'products' and version.is_current = 1 and row.fault is null
  and coalesce(json_array_length(cast(row.body as text), '$.barcodes'), 0) = 0
order by json_extract(cast(row.body as text), '$.department'),
         json_extract(cast(row.body as text), '$.description')
limit :at_most;
