-- Files lie at {account}/{profile}/{file} in private buckets.
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
  ('documents', 'documents', false, 52428800, array['application/pdf', 'image/jpeg', 'image/png']),
  ('avatars', 'avatars', false, 2097152, array['image/jpeg', 'image/png']),
  ('exports', 'exports', false, 524288000, array['application/zip', 'application/pdf'])
on conflict (id) do nothing;

-- Whole folder names, never prefixes: 'a/b' must not match 'a/b2'. After a handover the older files stay
-- in the folder of the account that uploaded them, and follow the profile.
create function private.storage_folders(profiles uuid[]) returns setof text
language sql stable set search_path = '' rows 10 as $$
  select p.owner_account_id::text || '/' || p.id::text from public.profiles p where p.id = any (profiles)
  union
  select h.from_account_id::text || '/' || h.profile_id::text
  from public.profile_handovers h
  where h.profile_id = any (profiles) and h.status = 'completed'
$$;
comment on function private.storage_folders(uuid[]) is
  'Folders of given profiles. Trusts its argument, hence no definer: only the functions below call it.';

create function private.readable_folders() returns setof text
language sql stable security definer set search_path = '' rows 10 as $$
  select private.storage_folders(array(select private.document_profiles()))
$$;
comment on function private.readable_folders() is 'Folders whose files the caller may read.';

create function private.writable_folders() returns setof text
language sql stable security definer set search_path = '' rows 10 as $$
  select p.owner_account_id::text || '/' || p.id::text
  from public.profiles p
  where p.id = any (array(select private.writable_profiles()))
$$;
comment on function private.writable_folders() is 'Folders to which the caller may upload.';

create function private.managed_folders() returns setof text
language sql stable security definer set search_path = '' rows 10 as $$
  select private.storage_folders(array(select private.managed_profiles()))
$$;
comment on function private.managed_folders() is 'Folders whose files the caller may delete, and whose exports the caller may read.';

create policy guardian_files_select on storage.objects for select to authenticated
  using (
    (
      bucket_id in ('documents', 'avatars')
      and array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders()))
    )
    or (
      bucket_id = 'exports'
      and array_to_string(storage.foldername(name), '/') = any (array(select private.managed_folders()))
    )
  );
create policy guardian_files_insert on storage.objects for insert to authenticated
  with check (
    bucket_id in ('documents', 'avatars')
    and owner_id = (select auth.uid())::text
    and array_to_string(storage.foldername(name), '/') = any (array(select private.writable_folders()))
  );
create policy guardian_files_update on storage.objects for update to authenticated
  using (
    bucket_id in ('documents', 'avatars')
    and owner_id = (select auth.uid())::text
    and array_to_string(storage.foldername(name), '/') = any (array(select private.writable_folders()))
  )
  with check (
    bucket_id in ('documents', 'avatars')
    and owner_id = (select auth.uid())::text
    and array_to_string(storage.foldername(name), '/') = any (array(select private.writable_folders()))
  );
create policy guardian_files_delete on storage.objects for delete to authenticated
  using (
    bucket_id in ('documents', 'avatars')
    and array_to_string(storage.foldername(name), '/') = any (array(select private.managed_folders()))
  );

alter publication supabase_realtime add table public.timeline_entries, public.quality_flags;
