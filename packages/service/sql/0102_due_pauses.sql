-- What is due and could not be done yet is tried again, ever less often.
alter table due
  add column attempts integer not null default 0 check (attempts >= 0),
  -- By the wall's clock; null: at once.
  add column next_attempt_at timestamptz,
  -- What the customer's test clock stood at when it was tried last: once that was turned, it is tried at once.
  add column clock_stood_at timestamptz,
  add check ((attempts = 0) = (next_attempt_at is null)),
  add check (attempts > 0 or clock_stood_at is null);
