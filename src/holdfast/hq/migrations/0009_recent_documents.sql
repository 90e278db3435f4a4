-- The list of sales shows the newest first: one index in its very order, in place of the one by date alone.

create index document_recent on document (business_date, at_ms, chain, seq);
drop index document_business_date;
