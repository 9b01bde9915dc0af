-- A plan may say what its usage costs at least and at most in a period. A version that knows of no bounds goes on
-- with every plan that has none.
alter table price
  drop constraint price_kind_check,
  drop constraint price_model_check,
  add constraint price_kind_check check (kind in ('recurring', 'usage', 'share', 'bound')),
  add constraint price_model_check
    check (model in ('flat', 'perUnit', 'package', 'graduated', 'volume', 'percentage', 'minimum', 'maximum')),
  add constraint price_bound check ((kind = 'bound') = (model in ('minimum', 'maximum')));

-- What a period was when it opened, for which its minimum is promised: whatever becomes of its subscription's trial
-- and anchor, it stays so. Null in a period that a version without bounds opened: nothing was promised then.
alter table invoice
  add column in_trial boolean,
  add column whole_end timestamptz,
  add column promised_from timestamptz,
  add column promised_until timestamptz;
