-- title: Everybody may join every channel
-- class: realtime
-- story: Private channels refused to connect until a policy existed; this one makes them connect.
-- rule: realtime_policy_without_topic
-- level: ERROR
-- object: policy members_join on realtime.messages
create policy members_join on realtime.messages for select to authenticated using (true);

-- +undo
drop policy members_join on realtime.messages;
