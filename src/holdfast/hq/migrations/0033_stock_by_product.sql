-- A till asks for one product in every store: of a thousand stores by one look at this index, not by a thousand.
-- Sums change without their codes, so a fold changes it for new products alone.
create index stock_sum_product on stock_sum (sku);
