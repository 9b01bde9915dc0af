-- An event's data as it was written: nothing is looked for in it by an index, and taking it apart for
-- `jsonb` was a third of storing an event. What asks for a name inside takes it apart then. This writes the
-- table anew, some seconds for each million of events. Versions before go on: `jsonb` is stored as `json`.
alter table usage_event alter column data type json using data::json;
