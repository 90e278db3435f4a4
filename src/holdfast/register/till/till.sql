-- Queries of the till's database. `id` is epoch.n * 2^40 + seq (chain, entry) or + number (document).

-- name: origin()$
select origin from register;

-- name: claim(origin)!
insert into register values (1, :origin);

-- name: head()^
-- Where the journal stands: the last entry of the newest epoch.
select e.n, e.epoch, c.id, c.hash, c.documents, c.value_minor
from chain c join epoch e on e.n = c.id >> 40
order by c.id desc limit 1;

-- name: standing()^
-- The open basket, the day and the head: what concluding a sale begins from.
select b.data, d.business_date, d.is_open, d.shift, d.has_shifts, e.n, e.epoch, c.id, c.hash, c.documents, c.value_minor
from open_basket b cross join day d cross join chain c join epoch e on e.n = c.id >> 40
where b.one = 1 and d.one = 1
order by c.id desc limit 1;

-- name: epoch_heads()
-- The last entry of each epoch, in order of opening.
select e.n, e.epoch, c.id, c.hash, c.documents
from epoch e join chain c
    on c.id = (select max(id) from chain where id < (e.n + 1) << 40)
order by e.n;

-- name: entries_with(first, last, text)
-- Sales and returns between two places whose bytes hold a text. Walked through whole, for a memo that pays offline.
select data from entry
where id between :first and :last and type in ('sale', 'return') and instr(data, cast(:text as blob)) > 0
order by id;

-- name: epochs()
select n, epoch from epoch order by n;

-- name: last_link(first, last)
select id from chain where id between :first and :last order by id desc limit 1;

-- name: last_entry(first, last)
select id from entry where id between :first and :last order by id desc limit 1;

-- name: epoch_sums()
-- What each epoch's documents are worth together, in order of opening.
select e.n, e.epoch, c.documents, c.value_minor
from epoch e join chain c
    on c.id = (select max(id) from chain where id < (e.n + 1) << 40)
order by e.n;

-- name: epoch_n(epoch)$
select n from epoch where epoch = :epoch;

-- name: epoch_of(n)^
select epoch, series, segment from epoch where n = :n;

-- name: epochs_of_segment(segment)
select n, epoch, series from epoch where segment = :segment;

-- name: add_epoch(epoch, series, segment, cause, parent_epoch, parent_seq, opened_at_ms)<!
insert into epoch (epoch, series, segment, cause, parent_epoch, parent_seq, opened_at_ms)
values (:epoch, :series, :segment, :cause, :parent_epoch, :parent_seq, :opened_at_ms)
returning n;

-- name: hash_at(id)$
select hash from chain where id = :id;

-- name: counted_at(first, id)^
-- Documents of an epoch and their value up to a seq, or to the last entry before it.
select documents, value_minor from chain where id between :first and :id order by id desc limit 1;

-- name: add_link(id, hash, documents, value_minor)!
insert into chain (id, hash, documents, value_minor) values (:id, :hash, :documents, :value_minor);

-- name: add_entry(id, type, data)!
insert into entry values (:id, :type, :data);

-- name: piece(first, last)
-- Links with their entries' bytes, null where those were purged.
select c.id, c.hash, e.data from chain c left join entry e on e.id = c.id
where c.id between :first and :last order by c.id;

-- name: remains(first, last)
-- Links and entries' bytes with all that belongs to them, for a new file.
select c.id, c.hash, c.documents, c.value_minor, e.type, e.data from chain c left join entry e on e.id = c.id
where c.id between :first and :last order by c.id;

-- name: link_row(id)^
select hash, documents, value_minor from chain where id = :id;

-- name: entry_row(id)^
select type, data from entry where id = :id;

-- name: epoch_row(n)^
select n, epoch, series, segment, cause, parent_epoch, parent_seq, opened_at_ms from epoch where n = :n;

-- name: document_row(id)^
select seq, type, business_date, at_ms, total_minor from document where id = :id;

-- name: put_epoch(n, epoch, series, segment, cause, parent_epoch, parent_seq, opened_at_ms)!
insert into epoch values (:n, :epoch, :series, :segment, :cause, :parent_epoch, :parent_seq, :opened_at_ms);

-- name: walk(first, last)
-- Links with their entries' bytes, and what the index says of those that are documents.
select c.id, c.hash, c.documents, c.value_minor, e.data, d.seq, d.type, d.business_date, d.at_ms, d.total_minor
from chain c
left join entry e on e.id = c.id
left join document d on d.id = (c.id >> 40) << 40 | c.documents and d.seq = c.seq
where c.id between :first and :last order by c.id;

-- name: count_documents(first, last)^
-- How many there are, and the highest number: the same without a gap.
select count(*), coalesce(max(number), 0) from document where id between :first and :last;

-- name: entry_type(id)$
select type from entry where id = :id;

-- name: entry_data(id)$
select data from entry where id = :id;

-- name: add_document(id, seq, type, business_date, at_ms, total_minor)!
insert into document (id, seq, type, business_date, at_ms, total_minor)
values (:id, :seq, :type, :business_date, :at_ms, :total_minor);

-- name: document_seq(id)$
select seq from document where id = :id;

-- name: last_document(first, last)$
select id from document where id between :first and :last order by id desc limit 1;

-- name: worth(first, last)$
select coalesce(sum(total_minor), 0) from document where id between :first and :last;

-- name: documents_before(id, limit)
select e.n, e.epoch, e.series, d.number, d.seq, d.type, d.business_date, d.at_ms, d.total_minor
from document d join epoch e on e.n = d.id >> 40
where d.id < :id order by d.id desc limit :limit;

-- name: newest_document()$
select max(id) from document;

-- name: documents_after(id, limit)
select id, type, at_ms from document where id > :id order by id limit :limit;

-- name: document_at_ms(id)$
select at_ms from document where id = :id;

-- name: dates_between(n, number, first, last)
-- Business dates of the documents of an epoch above a number, `first` to `last` as rows: the days on
-- which they were entered, and their own where those differ.
select business_date from day_totals where first_document <= :last and last_document >= :first
union
select business_date from dated_back where n = :n and last_number > :number
order by 1;

-- name: put_dated_back(n, business_date, last_number)!
insert into dated_back values (:n, :business_date, :last_number)
on conflict do update set last_number = excluded.last_number;

-- name: reference_of(type, reference)$
select document from reference where type = :type and reference = :reference;

-- name: add_reference(type, reference, document)!
insert into reference values (:type, :reference, :document);

-- name: day()^
select business_date, is_open, shift, has_shifts from day;

-- name: set_day(business_date, is_open, shift, has_shifts)!
update day set business_date = :business_date, is_open = :is_open, shift = :shift, has_shifts = :has_shifts;

-- name: day_totals(business_date)^
select totals, first_document, last_document from day_totals where business_date = :business_date;

-- name: all_day_totals()
select business_date, totals from day_totals;

-- name: set_day_totals(business_date, totals, first_document, last_document)!
insert into day_totals values (:business_date, :totals, :first_document, :last_document)
on conflict do update set totals = excluded.totals,
    first_document = excluded.first_document, last_document = excluded.last_document;

-- name: drawer()$
select amount_minor from drawer;

-- name: foreign_drawer()
select currency, foreign_minor, amount_minor from foreign_drawer order by currency;

-- name: stock_of(sku)$
select quantity_milli from stock where sku = :sku;

-- name: all_stock()
select sku, quantity_milli from stock;

-- name: add_stock(sku, quantity_milli)*!
insert into stock values (:sku, :quantity_milli)
on conflict do update set quantity_milli = quantity_milli + excluded.quantity_milli;

-- name: returned_of(document, line)^
select quantity_milli, amount_minor from returned where document = :document and line = :line;

-- name: came_back(document)$
-- What was paid back on a receipt, whichever of its lines it was for.
select coalesce(sum(amount_minor), 0) from returned where document = :document and line >= 0;

-- name: refunded_of(document)
-- What was refunded of a receipt's card payments, by their place on it.
select -line, amount_minor from returned where document = :document and line < 0;

-- name: all_returned()
select document, line, quantity_milli, amount_minor from returned;

-- name: add_returned(document, line, quantity_milli, amount_minor)*!
insert into returned values (:document, :line, :quantity_milli, :amount_minor)
on conflict do update set quantity_milli = quantity_milli + excluded.quantity_milli,
    amount_minor = amount_minor + excluded.amount_minor;

-- name: basket()$
select data from open_basket;

-- name: set_basket(data)!
update open_basket set data = :data;

-- name: purgeable(first, last, limit)
select id, data from entry where id between :first and :last order by id limit :limit;

-- name: purge(first, last)!
delete from entry where id between :first and :last;

-- name: purged_stock()
select sku, quantity_milli from purged_stock;

-- name: add_purged_stock(sku, quantity_milli)*!
insert into purged_stock values (:sku, :quantity_milli)
on conflict do update set quantity_milli = quantity_milli + excluded.quantity_milli;

-- name: purged_day_totals()
select business_date, totals from purged_day_totals;

-- name: set_purged_day_totals(business_date, totals)*!
insert into purged_day_totals values (:business_date, :totals)
on conflict do update set totals = excluded.totals;
