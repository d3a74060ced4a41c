-- title: A helper that policies rely on lost its search_path
-- class: function
-- story: alter function ... reset all, in a clean-up of settings.
-- rule: function_search_path_mutable
-- level: WARN
-- object: private.managed_profiles()
alter function private.managed_profiles() reset search_path;

-- +undo
alter function private.managed_profiles() set search_path = '';
