-- What 0139 took the place of. The version before this one neither reads nor writes it; one from before 0139 does.
alter table subscription drop column flat_numbers;
alter table subscription_history drop column flat_numbers;
alter table plan_change drop column flat_numbers;
