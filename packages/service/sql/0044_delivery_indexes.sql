-- What was given up: counted at each reading of the figures, and few of all deliveries.
create index delivery_failed on delivery (endpoint_id) where state = 'failed';
-- Whether anything of an endpoint is due, behind however many that wait for later.
create index delivery_due on delivery (endpoint_id, next_attempt_at) where state = 'waiting';
