-- title: Members may create objects in public
-- class: grant
-- story: A template for a temporary import table asked for it.
-- rule: schema_create_granted
-- level: ERROR
-- object: schema public
grant create on schema public to authenticated;

-- +undo
revoke create on schema public from authenticated;
