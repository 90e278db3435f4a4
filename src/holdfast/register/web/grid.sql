-- What the selling screen shows to touch, from the sync process's database. All of it by seeks in the indexes of
-- `product`, for a catalogue has 50,000 of them.

-- name: versions()
-- Changes whenever what is shown here may have.
select feed, incarnation, n from feed_version
where feed in ('products', 'prices', 'quick_keys') and is_current = 1 order by feed;

-- name: categories(at_most)
-- From one to the next by seeks.
with recursive
    newest (generation) as (select generation from feed_version where feed = 'products' and is_current = 1),
    step (category) as (
        select (select min(category) from product where generation = newest.generation) from newest
        union all
        select (select min(category) from product
                where generation = newest.generation and category > step.category)
        from step, newest where step.category is not null
    )
select category from step where category is not null limit :at_most;

-- name: count_of_category(category)$
select count(*) from product
where generation = (select generation from feed_version where feed = 'products' and is_current = 1)
  and category = :category;

-- name: of_category(category, at_most, skipped)
with shown (generation, sku, category, name) as (
    select generation, sku, category, name from product
    where generation = (select generation from feed_version where feed = 'products' and is_current = 1)
      and category = :category
    order by category, name, sku limit :at_most offset :skipped)
select row.body from shown
cross join feed_row row on row.feed = 'products' and row.generation = shown.generation and row.key = shown.sku
order by shown.category, shown.name, shown.sku;

-- name: count_of_loose()$
select count(*) from product
where generation = (select generation from feed_version where feed = 'products' and is_current = 1)
  and is_loose = 1;

-- name: loose(at_most, skipped)
-- What no scanner can find, by category.
with shown (generation, sku, category, name) as (
    select generation, sku, category, name from product
    where generation = (select generation from feed_version where feed = 'products' and is_current = 1)
      and is_loose = 1
    order by category, name, sku limit :at_most offset :skipped)
select row.body from shown
cross join feed_row row on row.feed = 'products' and row.generation = shown.generation and row.key = shown.sku
order by shown.category, shown.name, shown.sku;

-- name: quick_keys()
-- With their products; one whose product is not in the catalogue is not shown.
select quick.body, product.body
from feed_row quick
join feed_version version
    on version.feed = quick.feed and version.generation = quick.generation and version.is_current = 1
cross join feed_row product
    on product.feed = 'products' and product.fault is null
    and product.generation = (select generation from feed_version where feed = 'products' and is_current = 1)
    and product.key = json_extract(cast(quick.body as text), '$.sku')
where quick.feed = 'quick_keys' and quick.fault is null
order by quick.key;
