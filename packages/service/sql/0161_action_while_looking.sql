-- What the customer has to do stays to be done while it is looked at whether it was: a workflow that was woken keeps its
-- action until it has got past it.
alter table workflow drop constraint workflow_action;
alter table workflow add constraint workflow_action check (
  case state when 'requiresAction' then action is not null when 'running' then true else action is null end);
