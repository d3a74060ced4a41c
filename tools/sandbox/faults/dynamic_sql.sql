-- title: A search function glues the sort order into SQL
-- class: function
-- story: Sorting by any column was quicker to write with EXECUTE.
-- rule: function_dynamic_sql
-- level: ERROR
-- object: public.search_documents(text, text)
create function public.search_documents(words text, sort_by text) returns setof public.documents
language plpgsql stable security definer set search_path = '' as $$
begin
  return query execute
    'select d.* from public.documents d where d.profile_id = any (array(select private.document_profiles()))'
    || ' and d.title ilike $1 order by ' || sort_by
  using '%' || words || '%';
end
$$;
revoke execute on function public.search_documents(text, text) from public, anon;
grant execute on function public.search_documents(text, text) to authenticated;

-- +undo
drop function public.search_documents(text, text);
