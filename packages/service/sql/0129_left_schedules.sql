-- A planned change that somebody made at the provider before it was due has a schedule there that makes it once more at the
-- end of the period, whatever was changed since. Those that were made so before they let go of it at once are due now.
update due set due_at = c.effective_at
from plan_change c
where due.kind = 'planned-change' and due.subject_id = c.id and due.settled_at is null
  and c.state = 'effective' and c.origin = 'here' and due.due_at > c.effective_at;
