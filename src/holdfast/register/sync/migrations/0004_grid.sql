-- What the selling screen shows to touch: products by category, and those that no scanner can find.

alter table product add column name text not null default '' collate nocase;      -- the description
alter table product add column category text not null default '' collate nocase;  -- the department
alter table product add column is_loose integer not null default 0;               -- it has no barcode

update product set
    name = coalesce(json_extract(cast(row.body as text), '$.description'), ''),
    category = trim(coalesce(json_extract(cast(row.body as text), '$.department'), '')),
    is_loose = coalesce(json_array_length(cast(row.body as text), '$.barcodes'), 0) = 0
from feed_row row
where row.feed = 'products' and row.generation = product.generation and row.key = product.sku;

create index product_category on product (generation, category, name, sku);
create index product_loose on product (generation, category, name, sku) where is_loose = 1;
