-- Those that may not come to their end by themselves are asked for by every look at the metrics, and are few.
create index refund_unsettled on refund (id) where status in ('making', 'requires_action', 'pending', 'failed');
