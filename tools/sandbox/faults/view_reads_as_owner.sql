-- title: A view lost security_invoker
-- class: view
-- story: The view was replaced by a tool that does not know the option.
-- rule: security_definer_view
-- level: ERROR
-- object: public.current_medications
alter view public.current_medications reset (security_invoker);

-- +undo
alter view public.current_medications set (security_invoker = true);
