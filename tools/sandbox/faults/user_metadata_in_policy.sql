-- title: Processing costs are shown to whoever calls himself operations
-- class: trust
-- story: The dashboard keeps the role in user_metadata because the client can set it there.
-- rule: rls_references_user_metadata
-- level: ERROR
-- object: policy processing_passes_select on public.processing_passes
alter policy processing_passes_select on public.processing_passes
  using ((select auth.jwt()) -> 'user_metadata' ->> 'role' = 'operations');

-- +undo
alter policy processing_passes_select on public.processing_passes using ((select private.is_staff('operations')));
