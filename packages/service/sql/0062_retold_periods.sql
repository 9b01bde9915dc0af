-- A period that is told anew, because what came before it was heard of only afterwards. A version that knows of none
-- shows the new period, and goes by it.
alter table invoice
  -- What a final invoice says its period is, where that was cut afterwards: it was made out for this time.
  add column stated_start timestamptz,
  add column stated_end timestamptz,
  -- By which moment the subscription's own prices hold for it, where its period begins earlier since it is told anew.
  add column prices_at timestamptz,
  add constraint invoice_stated check ((stated_start is null) = (stated_end is null));
