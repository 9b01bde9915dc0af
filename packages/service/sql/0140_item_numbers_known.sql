-- What was known of them. Processes of the version before go on by flat_numbers until they are replaced.
update subscription set item_numbers = flat_numbers where flat_numbers <> '{}';
update subscription_history set item_numbers = flat_numbers where flat_numbers <> '{}';
update plan_change set item_numbers = flat_numbers where flat_numbers <> '{}';
