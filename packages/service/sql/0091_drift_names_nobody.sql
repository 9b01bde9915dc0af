-- The last comparison keeps which fields differ, and no longer what they say: that may be a person's name.
update drift_report set drifts = (
  select coalesce(jsonb_agg(drift - 'differences'), '[]') from jsonb_array_elements(drifts) as drift
);
