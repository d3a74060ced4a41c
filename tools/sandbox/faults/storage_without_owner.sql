-- title: Every document can be downloaded by every member
-- class: storage
-- story: A shared viewer could not open files; the folder condition was removed.
-- rule: storage_policy_without_owner
-- level: ERROR
-- object: policy guardian_documents_select on storage.objects
alter policy guardian_documents_select on storage.objects using (bucket_id in ('documents', 'avatars'));

-- +undo
alter policy guardian_documents_select on storage.objects using (
   bucket_id in ('documents', 'avatars')
   and array_to_string(storage.foldername(name), '/') = any (array(select private.readable_folders()))
 );
