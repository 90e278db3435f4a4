-- A customer's page lists what that person bought. Most documents have no customer, and are not in this index.
create index document_customer on document (customer, at_ms) where customer is not null;
