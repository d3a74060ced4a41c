-- title: The bucket of documents is public
-- class: storage
-- story: Previews did not load in the browser; the switch in the dashboard helped.
-- rule: storage_bucket_public
-- level: ERROR
-- object: bucket documents
update storage.buckets set public = true where id = 'documents';

-- +undo
update storage.buckets set public = false where id = 'documents';
