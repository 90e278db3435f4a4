-- Foreign cash in the drawer, by currency: beside `drawer`, which is home cash.

create view foreign_drawer as
select f.key as currency,
       sum(json_extract(f.value, '$.foreign_minor')) as foreign_minor,
       sum(json_extract(f.value, '$.amount_minor')) as amount_minor
from day_totals d, json_each(d.totals, '$.foreign_cash') f
group by f.key;
