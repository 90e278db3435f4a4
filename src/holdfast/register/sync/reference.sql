-- ---- incarnations ------------------------------------------------------------------------------

-- name: newest_incarnation()$
-- The one that head office last said it is in; null before the first contact.
select incarnation from incarnation order by ordinal desc limit 1;

-- name: incarnation_ordinal(incarnation)$
select ordinal from incarnation where incarnation = :incarnation;

-- name: add_incarnation(incarnation, seen_ms)!
insert or ignore into incarnation (incarnation, seen_ms) values (:incarnation, :seen_ms);

-- ---- receipts and heads ------------------------------------------------------------------------

-- name: receipts(level)
select epoch, level, incarnation, seq, hash, key_id, signature from receipt where level = :level order by epoch;

-- name: receipt_at(epoch, level)^
select incarnation, seq from receipt where epoch = :epoch and level = :level;

-- name: put_receipt(epoch, level, incarnation, seq, hash, key_id, signature, at_ms)!
insert or replace into receipt (epoch, level, incarnation, seq, hash, key_id, signature, at_ms)
values (:epoch, :level, :incarnation, :seq, :hash, :key_id, :signature, :at_ms);

-- name: cursors(level)
-- How far head office has each epoch, by its newest incarnation's word alone: an older one lost state.
select epoch, seq from receipt
where level = :level and incarnation = (select incarnation from incarnation order by ordinal desc limit 1);

-- name: put_signed_head(epoch, seq, hash, key_id, signature)!
insert or replace into signed_head (epoch, seq, hash, key_id, signature)
values (:epoch, :seq, :hash, :key_id, :signature);

-- name: signed_heads()
select epoch, seq, hash, key_id, signature from signed_head order by epoch;

-- ---- the line ----------------------------------------------------------------------------------

-- name: link_state()^
select mode, since_ms, cause, forced, last_contact_ms, head_office_ms, skew_ms,
       blocked_code, blocked_detail, blocked_since_ms, problems, past, reach, tried
from link_state;

-- name: set_link_state(mode, since_ms, cause, forced, last_contact_ms, head_office_ms, skew_ms, blocked_code, blocked_detail, blocked_since_ms, problems, past, reach, tried)!
update link_state set
    mode = :mode, since_ms = :since_ms, cause = :cause, forced = :forced,
    last_contact_ms = :last_contact_ms, head_office_ms = :head_office_ms, skew_ms = :skew_ms,
    blocked_code = :blocked_code, blocked_detail = :blocked_detail, blocked_since_ms = :blocked_since_ms,
    problems = :problems, past = :past, reach = :reach, tried = :tried;

-- ---- requests to checkout ----------------------------------------------------------------------

-- name: add_request(kind, payload, at_ms)<!
insert into request (kind, payload, at_ms) values (:kind, :payload, :at_ms) returning number;

-- name: open_request_like(kind, payload)$
-- The number of an open request that says exactly the same.
select number from request where done_ms is null and kind = :kind and payload = :payload limit 1;

-- name: open_requests(at_most)
-- Appends and the others apart: however many appends a full disk holds back, a purge is found.
select number, kind, payload from (
    select * from (
        select number, kind, payload from request
        where done_ms is null and kind = 'append' order by number limit :at_most)
    union all
    select * from (
        select number, kind, payload from request
        where done_ms is null and kind <> 'append' order by number limit :at_most))
order by number;

-- name: close_request(number, done_ms, outcome, detail)!
update request set done_ms = :done_ms, outcome = :outcome, detail = :detail
where number = :number and done_ms is null;

-- name: request_payload(number)$
select payload from request where number = :number;

-- name: request_outcome(number)^
select outcome, detail from request where number = :number and done_ms is not null;

-- name: drop_old_requests(keep)!
-- Closed long ago, and no command names them.
delete from request
where done_ms is not null
  and number <= (select max(number) from request) - :keep
  and number not in (select request from command where request is not null);

-- ---- commands ----------------------------------------------------------------------------------

-- name: highest_command(incarnation)$
select coalesce(max(number), 0) from command where incarnation = :incarnation;

-- name: add_command(incarnation, number, kind, arguments, received_ms)!
insert or ignore into command (incarnation, number, kind, arguments, received_ms)
values (:incarnation, :number, :kind, :arguments, :received_ms);

-- name: unfinished_commands()
select incarnation, number, kind, arguments, request from command where outcome = '' order by rowid;

-- name: unreported_commands()
select incarnation, number, kind, outcome, detail from command where outcome <> '' and reported = 0 order by rowid;

-- name: set_command_request(incarnation, number, request)!
update command set request = :request where incarnation = :incarnation and number = :number;

-- name: finish_command(incarnation, number, outcome, detail)!
update command set outcome = :outcome, detail = :detail
where incarnation = :incarnation and number = :number and outcome = '';

-- name: command_reported(incarnation, number)!
update command set reported = 1 where incarnation = :incarnation and number = :number;

-- name: reopen_command_report(incarnation, number)!
-- Head office sends it again: it did not hear the outcome.
update command set reported = 0
where incarnation = :incarnation and number = :number and outcome <> '';

-- name: drop_old_commands(keep)!
delete from command where reported = 1 and rowid <= (select max(rowid) from command) - :keep;

-- ---- feeds: versions ---------------------------------------------------------------------------

-- name: current_version(feed)^
select generation, incarnation, n, made_ms, checked_ms from feed_version where feed = :feed and is_current = 1;

-- name: staged_version(feed)^
select generation, incarnation, n, made_ms, checked_ms from feed_version where feed = :feed and is_current = 0;

-- name: current_versions()
select feed, incarnation, n, made_ms, checked_ms from feed_version where is_current = 1 order by feed;

-- name: next_generation(feed)$
select 1 + max(
    coalesce((select max(generation) from feed_version where feed = :feed), 0),
    coalesce((select max(generation) from feed_row where feed = :feed), 0)
);

-- name: drop_staged(feed)!
delete from feed_version where feed = :feed and is_current = 0;

-- name: add_staged(feed, generation, incarnation)!
insert into feed_version (feed, generation, incarnation, n, is_current, made_ms, checked_ms)
values (:feed, :generation, :incarnation, 0, 0, 0, 0);

-- name: advance_version(feed, generation, n, made_ms, checked_ms)!
update feed_version set n = :n, made_ms = max(made_ms, :made_ms), checked_ms = :checked_ms
where feed = :feed and generation = :generation;

-- name: drop_current(feed)!
delete from feed_version where feed = :feed and is_current = 1;

-- name: make_current(feed, generation)!
update feed_version set is_current = 1 where feed = :feed and generation = :generation;

-- name: checked(feed, made_ms, checked_ms)!
update feed_version set made_ms = max(made_ms, :made_ms), checked_ms = :checked_ms
where feed = :feed and is_current = 1;

-- ---- feeds: rows -------------------------------------------------------------------------------

-- name: put_row(feed, generation, key, body, fault)!
insert or replace into feed_row (feed, generation, key, body, fault)
values (:feed, :generation, :key, :body, :fault);

-- name: drop_row(feed, generation, key)!
delete from feed_row where feed = :feed and generation = :generation and key = :key;

-- name: row_body(feed, generation, key)$
select body from feed_row where feed = :feed and generation = :generation and key = :key;

-- name: drop_product_search(generation, sku)!
delete from product_search
where rowid = (select id from product where generation = :generation and sku = :sku);

-- name: drop_product(generation, sku)!
delete from product where generation = :generation and sku = :sku;

-- name: drop_barcodes(generation, sku)!
delete from barcode where generation = :generation and sku = :sku;

-- name: put_product(generation, sku, name, category, is_loose)<!
insert into product (generation, sku, name, category, is_loose)
values (:generation, :sku, :name, :category, :is_loose) returning id;

-- name: put_product_search(id, sku, description)!
insert into product_search (rowid, sku, description) values (:id, :sku, :description);

-- name: put_barcode(generation, barcode, sku)!
insert or ignore into barcode (generation, barcode, sku) values (:generation, :barcode, :sku);

-- name: put_price(generation, sku, currency, valid_from, unit_price_e4)!
insert or replace into price (generation, sku, currency, valid_from, unit_price_e4)
values (:generation, :sku, :currency, :valid_from, :unit_price_e4);

-- name: drop_price(generation, sku, currency, valid_from)!
delete from price
where generation = :generation and sku = :sku and currency = :currency and valid_from = :valid_from;

-- name: faulty_rows(at_most)
select row.feed, row.key, row.fault from feed_row row
join feed_version version on version.feed = row.feed and version.generation = row.generation
where row.fault is not null and version.is_current = 1 limit :at_most;

-- ---- feeds: what no generation needs any more, in pieces ---------------------------------------

-- name: sweep_rows(feed, at_most)!
delete from feed_row where (feed, generation, key) in (
    select feed, generation, key from feed_row
    where feed = :feed and generation not in (select generation from feed_version where feed = :feed)
    limit :at_most);

-- name: stale_products(at_most)
select id, generation, sku from product
where generation not in (select generation from feed_version where feed = 'products') limit :at_most;

-- name: sweep_product(id)!
delete from product where id = :id;

-- name: sweep_product_search(id)!
delete from product_search where rowid = :id;

-- name: sweep_prices(at_most)!
delete from price where (generation, sku, currency, valid_from) in (
    select generation, sku, currency, valid_from from price
    where generation not in (select generation from feed_version where feed = 'prices')
    limit :at_most);

-- ---- the catalogue -----------------------------------------------------------------------------

-- name: good_row(feed, key)$
select body from feed_row
where feed = :feed and key = :key and fault is null
  and generation = (select generation from feed_version where feed = :feed and is_current = 1);

-- name: good_rows(feed)
select body from feed_row
where feed = :feed and fault is null
  and generation = (select generation from feed_version where feed = :feed and is_current = 1)
order by key;

-- name: parameter_rows(keys)
-- Those of the given keys, a JSON list.
select key, body from feed_row
where feed = 'parameters' and fault is null and key in (select value from json_each(:keys))
  and generation = (select generation from feed_version where feed = 'parameters' and is_current = 1);

-- name: sku_of_barcode(barcode)$
select sku from barcode
where barcode = :barcode
  and generation = (select generation from feed_version where feed = 'products' and is_current = 1)
order by sku limit 1;

-- name: find_products(words, at_most)
-- Streams: it stops at the limit, however many products match.
select row.body from product_search
cross join product on product.id = product_search.rowid
cross join feed_row row
    on row.feed = 'products' and row.generation = product.generation and row.key = product.sku
where product_search match :words
  and product.generation = (select generation from feed_version where feed = 'products' and is_current = 1)
limit :at_most;

-- name: price_on(sku, currency, business_date)^
select sku, unit_price_e4, currency, valid_from from price
where generation = (select generation from feed_version where feed = 'prices' and is_current = 1)
  and sku = :sku and (:currency = '' or currency = :currency) and valid_from <= :business_date
order by valid_from desc limit 1;

-- name: currencies_on(home, business_date)
-- The row in force of each foreign currency, or null. Keys are CURRENCY|HOME|DATE: from pair to pair and to
-- its last date by seeks, because a chain that changes its rates daily has tens of thousands of rows.
with recursive
    newest (generation) as (
        select generation from feed_version where feed = 'currencies' and is_current = 1
    ),
    pair (start) as (
        select (select substr(key, 1, 8) from feed_row
                where feed = 'currencies' and generation = newest.generation and fault is null
                order by key limit 1)
        from newest
        union all
        select (select substr(key, 1, 8) from feed_row
                where feed = 'currencies' and generation = newest.generation and fault is null
                  and key > pair.start || '~'
                order by key limit 1)
        from pair, newest where pair.start is not null
    )
select (select body from feed_row
        where feed = 'currencies' and generation = newest.generation and fault is null
          and key > pair.start and key <= pair.start || :business_date
        order by key desc limit 1)
from pair, newest where substr(pair.start, 5, 3) = :home;
