-- Z reports against the documents they were made of (tables: hq/migrations/0018_day_closings.sql).

-- name: next_due()^
-- One at a time; another process takes another one.
select origin, business_date::text from day_check where due
order by business_date, origin limit 1 for update skip locked;

-- name: due_of(origin, business_date)^
select origin, business_date::text from day_check
where origin = :origin and business_date = :business_date and due for update skip locked;

-- name: reports_of(origin, business_date)
select chain, seq, report from z_report
where origin = :origin and business_date = :business_date order by chain, seq;

-- name: chains_of(origin)
-- Each chain with the place that its first entry goes on from.
select c.chain, c.epoch, case when c.branch > 0 then c.fork_seq + 1 else 1 end,
       case when c.branch > 0 then c.parent_chain else p.chain end,
       case when c.branch > 0 then c.fork_seq else coalesce(c.parent_seq, 0) end
from chain c
left join lateral (
    select f.chain from chain f join entry e on e.chain = f.chain and e.seq = c.parent_seq
    where f.origin = c.origin and f.epoch = c.parent_epoch and e.hash = c.parent_hash
    order by f.branch limit 1
) p on c.branch = 0
where c.origin = :origin;

-- name: documents_by_chain(origin, business_date)
-- Where a business date's own documents lie.
select chain, min(seq), max(seq) from document
where business_date = :business_date and origin = :origin and external_reference is null
  and type in ('sale', 'return')
group by chain;

-- name: own_figures(chains, firsts, lasts, origin, business_date, others, uptos)
-- What the documents come to, by head office's own rows: those in the spans that Z reports cover, and the
-- date's others that no report covers.
with place as materialized (
    select d.chain, d.seq
    from unnest(:chains::integer[], :firsts::bigint[], :lasts::bigint[]) as span (chain, first_seq, last_seq)
    join document d on d.chain = span.chain and d.seq between span.first_seq and span.last_seq
    where d.type in ('sale', 'return')
    union
    select d.chain, d.seq
    from unnest(:others::integer[], :uptos::bigint[]) as other (chain, upto)
    join document d on d.chain = other.chain and d.seq <= other.upto
    where d.business_date = :business_date and d.origin = :origin and d.external_reference is null
      and d.type in ('sale', 'return')
), back as (
    select l.chain, l.seq from place p join document_line l using (chain, seq)
    group by l.chain, l.seq having bool_and(l.quantity_milli < 0)
)
select 'documents' as figure, '' as key, count(*)::bigint as amount, (select count(*) from back)::bigint as other
from place
union all
select 'total', '', coalesce(sum(d.total_minor), 0)::bigint, coalesce(sum(d.rounding_minor), 0)::bigint
from place p join document d using (chain, seq)
union all
select 'returned', '', coalesce(sum(greatest(0, -d.total_minor)), 0)::bigint, 0
from place p join document d using (chain, seq)
union all
select 'tender', t.kind, sum(t.amount_minor)::bigint, 0
from place p join document_tender t using (chain, seq) group by t.kind
union all
select 'tax', x.tax_code, sum(x.net_minor)::bigint, sum(x.tax_minor)::bigint
from place p join document_tax x using (chain, seq) group by x.tax_code
union all
select 'department', l.department, sum(l.amount_minor)::bigint, 0
from place p join document_line l using (chain, seq) group by l.department
union all
select 'foreign', f.currency, sum(f.foreign_minor)::bigint, sum(t.amount_minor)::bigint
from place p join document_foreign_cash f using (chain, seq) join document_tender t using (chain, seq, tender)
group by f.currency;

-- name: repeated(chains, firsts, lasts)
-- Documents that another register entered before: they count in this register's day, and make no rows.
select e.data
from unnest(:chains::integer[], :firsts::bigint[], :lasts::bigint[]) as span (chain, first_seq, last_seq)
join entry e on e.chain = span.chain and e.seq between span.first_seq and span.last_seq
where e.status = 'repeated' and e.type in ('sale', 'return');

-- name: waiting(chains, firsts, lasts)$
select count(*)
from unnest(:chains::integer[], :firsts::bigint[], :lasts::bigint[]) as span (chain, first_seq, last_seq)
join quarantine q on q.chain = span.chain and q.seq between span.first_seq and span.last_seq
where q.resolved_at_ms is null;

-- name: numbers_here(origin, numbers)$
select count(distinct number) from document where number = any(:numbers) and origin = :origin;

-- name: former(origin, business_date)^
select result, detail, alert from day_check where origin = :origin and business_date = :business_date;

-- name: checked(origin, business_date, result, detail, alert, at_ms)!
update day_check
set due = false, result = :result, detail = :detail, alert = :alert, checked_at_ms = :at_ms
where origin = :origin and business_date = :business_date;

-- name: add_alert(origin, chain, seq, detail)<!
insert into alert (kind, origin, chain, seq, detail)
values ('z-report', :origin, :chain, :seq, :detail) returning id;

-- name: tell_anew(id, detail)<!
-- The same alert says what is so now, unless somebody has acknowledged it.
update alert set detail = :detail where id = :id and acknowledged_at_ms is null returning id;

-- name: settle_alert(id, at_ms)!
update alert set acknowledged_at_ms = :at_ms, acknowledged_by = 'head office: equal now'
where id = :id and acknowledged_at_ms is null;

-- name: closings(business_date, store, limit)
-- Registers that had documents or Z reports of a date; what wants a look first.
with day as (
    select origin, documents, total_minor from register_day where business_date = :business_date
), z as (
    select origin, array_agg(number order by chain, seq) as numbers, array_agg(chain order by chain, seq) as chains,
           array_agg(seq order by chain, seq) as seqs, sum(sales)::bigint as sales, sum(returns)::bigint as returns,
           sum(total_minor)::bigint as total_minor, sum(tax_minor)::bigint as tax_minor,
           sum(over_short_minor)::bigint as over_short_minor, max(at_ms) as at_ms
    from z_report where business_date = :business_date group by origin
)
select o.origin, o.name, o.store, o.currency, coalesce(d.documents, 0)::bigint, coalesce(d.total_minor, 0)::bigint,
       coalesce(z.numbers, '{}'), coalesce(z.chains, '{}'), coalesce(z.seqs, '{}'), z.sales, z.returns,
       z.total_minor, z.tax_minor, z.over_short_minor, z.at_ms, c.result, coalesce(c.detail, ''),
       coalesce(c.due, false)
from day d full join z using (origin) join origin o using (origin)
left join day_check c on c.origin = o.origin and c.business_date = :business_date
where (:store::text is null or o.store = :store)
order by c.result is distinct from 'unequal', c.result is distinct from 'waiting', c.result is not distinct from 'equal',
         o.store, o.name, o.origin
limit :limit;

-- name: counts(business_date, store)^
-- Over all of them: registers, closed, equal, unequal.
with known as (
    select origin from register_day where business_date = :business_date
    union
    select origin from z_report where business_date = :business_date
)
select count(*), count(*) filter (where c.result is not null or c.due),
       count(*) filter (where c.result = 'equal'), count(*) filter (where c.result = 'unequal')
from known k join origin o using (origin)
left join day_check c on c.origin = k.origin and c.business_date = :business_date
where (:store::text is null or o.store = :store);

-- name: latest_date()$
select greatest((select max(business_date) from register_day), (select max(business_date) from z_report))::text;

-- name: stores()
select store, name from store order by store limit 2000;

-- name: report(chain, seq)^
select z.report, z.at_ms, z.origin, o.name, z.store, c.result, coalesce(c.detail, ''), e.hash, h.epoch, h.branch
from z_report z join origin o using (origin) join entry e using (chain, seq) join chain h using (chain)
left join day_check c on c.origin = z.origin and c.business_date = z.business_date
where z.chain = :chain and z.seq = :seq;

-- name: declared(origin, business_date)
select shift, currency, expected_minor, counted_minor, over_short_minor, staff, closed_by, at_ms
from shift_declared where origin = :origin and business_date = :business_date order by chain, seq, currency;

-- name: movements(origin, business_date, limit)
select at_ms, shift, kind, currency, amount_minor, reason, reference, staff, approved_by
from cash_movement where origin = :origin and business_date = :business_date order by chain, seq limit :limit;
