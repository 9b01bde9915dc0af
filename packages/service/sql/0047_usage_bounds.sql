-- A plan may say what its usage costs at least and at most in a period. A version that knows of no bounds goes on
-- with every plan that has none.
alter table price
  drop constraint price_kind_check,
  drop constraint price_model_check,
  add constraint price_kind_check check (kind in ('recurring', 'usage', 'share', 'bound')),
  add constraint price_model_check
    check (model in ('flat', 'perUnit', 'package', 'graduated', 'volume', 'percentage', 'minimum', 'maximum')),
  add constraint price_bound check ((kind = 'bound') = (model in ('minimum', 'maximum')));
