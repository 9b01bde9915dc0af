-- What was known of them.
update subscription set item_numbers = flat_numbers, flat_numbers = '{}' where flat_numbers <> '{}';
update subscription_history set item_numbers = flat_numbers, flat_numbers = '{}' where flat_numbers <> '{}';
update plan_change set item_numbers = flat_numbers, flat_numbers = '{}' where flat_numbers <> '{}';
