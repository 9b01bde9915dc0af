-- What watches the sync, and reads the newest of it, looks at these and not at every invoice there ever was.
create index invoice_open on invoice (id) where status in ('current', 'closing', 'draft');
create index invoice_synced on invoice (synced_at) where synced_at is not null;
create index invoice_finalized on invoice (finalized_at) where finalized_at is not null;
create index invoice_item_placed on invoice_item (origin_invoice_id) where state = 'placed';
