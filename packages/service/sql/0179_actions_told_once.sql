-- What the customer has to do is told once. A workflow that was woken keeps its action while it looks whether that was done, and
-- waits on for the same: nothing is new then.
drop trigger workflow_turned on workflow;
create trigger workflow_turned after update of state on workflow
  for each row when (old.state <> new.state and new.kind in ('register', 'change-plan')
    and (new.state in ('completed', 'rolledBack', 'parked')
      or (new.state = 'requiresAction' and old.action is distinct from new.action)))
  execute function note_change('id');
