-- The provider's draft of a period that nobody will finalize, because its subscription ended before it was final. The
-- period has no invoice of the provider's any more, and is not linked to this one again: what it owes goes onto another.
alter table invoice add column stopped_draft text;
