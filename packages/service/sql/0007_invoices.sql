-- One invoice for each subscription and period: `current` while the period runs, `closing` while
-- Stripe's draft of it is open, then Stripe's own status. Invoices for other reasons (the first one,
-- manual ones) are mirrored from their finalization on and open and close nothing.
create table invoice (
  id text primary key,
  customer_id text not null references customer,
  subscription_id text references subscription,
  -- The plan version that its period is rated by; null for an invoice that is only mirrored.
  plan_version_id text references plan_version,
  billing_reason text not null,
  status text not null check (status in ('current', 'closing', 'draft', 'open', 'paid', 'uncollectible', 'void')),
  currency text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  -- Usage or adjustments changed since the last sync took its picture.
  dirty boolean not null default true,
  -- A sync took its picture and has not yet confirmed that Stripe says the same.
  sync_pending boolean not null default false,
  -- Usage of this period came after it was frozen; it is billed as a later revision of its lines.
  late_usage boolean not null default false,
  synced_at timestamptz,
  sync_problem jsonb,
  provider_invoice_id text unique,
  -- Drafts of ours for it that were deleted at Stripe: each next one is a call of its own.
  drafts_lost integer not null default 0,
  finalizes_at timestamptz,
  finalized_at timestamptz,
  number text,
  subtotal bigint,
  total bigint,
  amount_due bigint,
  amount_paid bigint,
  amount_remaining bigint,
  hosted_invoice_url text,
  invoice_pdf text,
  opened_at timestamptz not null,
  check (period_end >= period_start),
  check ((status in ('open', 'paid', 'uncollectible', 'void')) = (finalized_at is not null))
);
create unique index invoice_period on invoice (subscription_id, period_start) where plan_version_id is not null;
create unique index invoice_one_current on invoice (subscription_id) where status = 'current';
create index invoice_customer on invoice (customer_id, period_start desc);
create index invoice_dirty on invoice (subscription_id) where dirty or sync_pending or late_usage;

-- The lines of a frozen invoice, as they were when Stripe finalized it. Never updated.
create table line_item (
  id text primary key,
  customer_id text not null references customer,
  invoice_id text not null references invoice,
  position integer not null,
  -- The period whose usage it bills: another invoice's when usage came late.
  origin_invoice_id text references invoice,
  line_key text,
  revision integer,
  description text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  quantity numeric(38, 9),
  amount bigint not null,
  currency text not null,
  derivation jsonb,
  provider_line_id text,
  unique (invoice_id, position)
);

-- What stands at Stripe for each line that Lockstep rates. A line is one period's price; its
-- revision counts how often a remainder of it was billed. Never two items for one row.
create table invoice_item (
  customer_id text not null references customer,
  origin_invoice_id text not null references invoice,
  line_key text not null,
  revision integer not null check (revision >= 0),
  -- `intended`: the call may be on its way. `placed`: it stands at Stripe and may still change.
  -- `billed`: it is on a finalized invoice, or cost nothing in the end. `removed`: it is gone.
  state text not null check (state in ('intended', 'placed', 'billed', 'removed')),
  -- Counts the calls that were intended for this row; part of each call's idempotency key, so that
  -- going back to an earlier amount is a new call and not the replay of an old answer.
  version integer not null default 1 check (version > 0),
  amount bigint not null,
  quantity numeric(38, 9),
  -- Everything the call sends. A call whose outcome is unknown is repeated with exactly this.
  content jsonb not null,
  derivation jsonb,
  provider_item_id text unique,
  -- The invoice it stands on; null while it is pending.
  provider_invoice_id text,
  primary key (origin_invoice_id, line_key, revision),
  check (state <> 'placed' or provider_item_id is not null)
);
create index invoice_item_provider_invoice on invoice_item (provider_invoice_id) where provider_invoice_id is not null;
