-- Migration 0009, first half: what is kept of each message to search by. A line of two dashes and two semicolons ends a
-- statement; @name@ is the schema in which the database has that extension. No search path: nobody's schema can put
-- another function in the place of one that is named here. A body after `return` is bound when it is made and needs none;
-- without the setting Postgres can put it in the place of its call.

create text search dictionary search.english_stem (template = pg_catalog.snowball, language = 'english')
-- ;;
-- As Postgres' own, but it leaves out no word: "will" and "may" are names too, and phrases have little words.
create text search configuration search.english (copy = pg_catalog.english)
-- ;;
alter text search configuration search.english alter mapping replace pg_catalog.english_stem with search.english_stem
-- ;;
-- Small letters without accents, and without the signs that Postgres' parser would make one word of several with
-- (addresses, hosts, paths, hyphenated words): each part is then found, and the whole is a phrase.
-- One after the other, because `translate` looks through all signs at each character and takes ten times as long.
create function search.folded(source text) returns text
language sql immutable parallel safe strict
return lower(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    @unaccent@.unaccent('@unaccent@.unaccent'::regdictionary, source),
    '@', ' '), '.', ' '), '_', ' '), '-', ' '), '/', ' '), '~', ' '), '<', ' '), '>', ' '), '&', ' '), '+', ' '
))
-- ;;
-- The words of a text, in order.
create function search.tokens(source text) returns text[]
language sql immutable parallel safe strict
return (
    select coalesce(array_agg(parsed.token), '{}')
    from ts_parse('default', search.folded(source)) as parsed
    where parsed.tokid <> 12
)
-- ;;
-- A field's words, each marked with the field, so that one index finds "ada" in From apart from "ada" elsewhere.
create function search.marked(mark text, words text[]) returns text[]
language sql immutable parallel safe strict
return array(select mark || ':' || word from unnest(words) as word where length(word) <= 200)
-- ;;
-- Names and addresses of one field: their words, each whole address, and its domain with the @.
create function search.marked_people(mark text, people jsonb) returns text[]
language sql immutable parallel safe strict
return (
    select
        search.marked(
            mark, search.tokens(coalesce(string_agg((person->>'name') || ' ' || (person->>'address'), ' '), ''))
        )
        || search.marked(
            mark, coalesce(array_agg(lower(person->>'address')) filter (where person->>'address' like '%@%'), '{}')
        )
        || search.marked(
            mark,
            coalesce(
                array_agg(distinct '@' || split_part(lower(person->>'address'), '@', -1))
                    filter (where person->>'address' like '%@%'),
                '{}'
            )
        )
    from jsonb_path_query(people, '$[0 to 99]') as person
)
-- ;;
-- What kinds of attachment there are, by type and by the end of the file's name; what stands in the text is none.
create function search.kinds(attachments jsonb, calendar jsonb) returns text[]
language sql immutable parallel safe
return (
    select
        coalesce(array_agg(distinct kind), '{}')
        || case when calendar is null then '{}'::text[] else array['h:invitation'] end
    from
        (
            select lower(part->>'content_type') as type, substring(lower(part->>'filename') from '\.([a-z0-9]+)$') as ends
            from jsonb_path_query(attachments, '$[0 to 99] ? (@.is_inline == false)') as part
        ) as attached,
        lateral (
            values
            ('h:attachment'),
            (case when type = 'application/pdf' or ends = 'pdf' then 'h:pdf' end),
            (case when type like 'image/%' then 'h:image' end),
            (
                case
                    when
                        type like '%wordprocessing%' or type like '%msword%' or type like '%opendocument.text%'
                        or ends in ('doc', 'docx', 'odt', 'rtf', 'txt', 'md')
                        then 'h:document'
                end
            ),
            (
                case
                    when
                        type like '%spreadsheet%' or type like '%ms-excel%' or type = 'text/csv'
                        or ends in ('xls', 'xlsx', 'ods', 'csv')
                        then 'h:spreadsheet'
                end
            ),
            (
                case
                    when
                        type like '%presentation%' or type like '%ms-powerpoint%' or ends in ('ppt', 'pptx', 'odp')
                        then 'h:presentation'
                end
            ),
            (
                case
                    when type in ('application/zip', 'application/gzip') or ends in ('zip', 'gz', 'tgz', '7z', 'rar', 'tar')
                        then 'h:archive'
                end
            )
        ) as named (kind)
    where kind is not null
)
-- ;;
-- A message's words: A subject, B sender and files' names, C what was written this time, D what is quoted, signatures
-- and recipients; then every word unstemmed, for words that are not finished; then the marked words of the fields.
-- A tsvector is limited to 1 MB; no mail that a person wrote is as long as these bounds.
create function search.words_of(message mail.messages) returns tsvector
language plpgsql stable parallel safe set search_path = '' as $$
declare
    subject text := search.folded(left(message.subject, 2000));
    sender text := search.folded(message.from_name || ' ' || message.from_address);
    files text := coalesce(
        (
            select string_agg(part->>'filename', ' ')
            from jsonb_path_query(message.attachments, '$[0 to 99] ? (@.is_inline == false)') as part
        ),
        ''
    );
    others text := coalesce(
        (
            select string_agg((person->>'name') || ' ' || (person->>'address'), ' ')
            from jsonb_path_query(message."to" || message.cc, '$[0 to 49]') as person
        ),
        ''
    );
    -- A bare forward has no new text; what it forwards is what it is about.
    fresh text := case when message.new_text = '' then message.text else message.new_text end;
    quoted text := case
        when message.new_text = '' then ''
        when starts_with(message.text, message.new_text) then substr(message.text, length(message.new_text) + 1)
        else message.text
    end;
begin
    fresh := search.folded(left(fresh, 100000));
    quoted := search.folded(left(quoted, 50000));
    others := search.folded(others);
    return
        setweight(to_tsvector('search.english', subject), 'A')
        || setweight(to_tsvector('search.english', sender || ' ' || search.folded(files)), 'B')
        || setweight(to_tsvector('search.english', fresh), 'C')
        || setweight(to_tsvector('search.english', quoted || ' ' || others), 'D')
        || strip(to_tsvector(
            'pg_catalog.simple',
            subject || ' ' || sender || ' ' || search.folded(files) || ' ' || fresh || ' ' || quoted || ' ' || others
        ))
        || array_to_tsvector(array(
            select distinct word
            from unnest(
                search.marked_people(
                    'f', jsonb_build_array(jsonb_build_object('name', message.from_name, 'address', message.from_address))
                )
                || search.marked_people('t', message."to" || message.bcc)
                || search.marked_people('c', message.cc)
                || search.marked('s', tsvector_to_array(to_tsvector('search.english', subject)) || search.tokens(subject))
                || search.marked('n', search.tokens(files))
                || search.marked('l', search.tokens(coalesce(message.headers->>'list-id', '')))
                || search.kinds(message.attachments, message.calendar)
            ) as word
            where word <> ''
        ));
end
$$
-- ;;
create function search.keep_added() returns trigger
language plpgsql set search_path = '' as $$
begin
    insert into search.messages (message_id, mailbox_id, received_at, size_bytes, words)
    select message.message_id, message.mailbox_id, message.received_at, message.size_bytes, search.words_of(message)
    from added as message
    where message.duplicate_of is null;
    return null;
end
$$
-- ;;
create trigger words_added after insert on mail.messages referencing new table as added
for each statement execute function search.keep_added()
-- ;;
-- A copy whose original is removed takes its place, and a message that turns out to be a copy gives it up.
create function search.keep_one() returns trigger
language plpgsql set search_path = '' as $$
begin
    delete from search.messages where message_id = new.message_id;
    if new.duplicate_of is null then
        insert into search.messages (message_id, mailbox_id, received_at, size_bytes, words)
        select message.message_id, message.mailbox_id, message.received_at, message.size_bytes, search.words_of(message)
        from mail.messages as message
        where message.message_id = new.message_id;
    end if;
    return null;
end
$$
-- ;;
create trigger words_kept after update of duplicate_of on mail.messages
for each row when (old.duplicate_of is distinct from new.duplicate_of) execute function search.keep_one()
-- ;;
-- The signs of a vector's numbers: 48 bytes that order a mailbox's vectors well enough to pick whose distance to measure.
create function search.code_of(vector @vector@.halfvec) returns bit
language sql immutable parallel safe strict
return @vector@.binary_quantize(vector)
-- ;;
create function search.keep_code() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.code := search.code_of(new.vector);
    return new;
end
$$
-- ;;
create trigger code before insert or update of vector on embeddings.messages
for each row execute function search.keep_code()
-- ;;
-- Words and codes of some of a mailbox's messages that were stored before this migration; returns how many it filled.
create function search.fill(mailbox uuid, most integer) returns integer
language plpgsql set search_path = '' as $$
declare
    filled integer;
    coded integer;
begin
    insert into search.messages (message_id, mailbox_id, received_at, size_bytes, words)
    select message.message_id, message.mailbox_id, message.received_at, message.size_bytes, search.words_of(message)
    from mail.messages as message
    where
        message.mailbox_id = mailbox
        and message.duplicate_of is null
        and not exists (select from search.messages as kept where kept.message_id = message.message_id)
    order by message.received_at desc
    limit most
    on conflict (message_id) do nothing;
    get diagnostics filled = row_count;
    update embeddings.messages as embedded set code = search.code_of(embedded.vector)
    where embedded.message_id in (
        select uncoded.message_id from embeddings.messages as uncoded
        where uncoded.mailbox_id = mailbox and uncoded.code is null
        limit most
    );
    get diagnostics coded = row_count;
    if filled + coded = 0 then
        delete from search.unfilled where mailbox_id = mailbox;
    end if;
    return filled + coded;
end
$$
-- ;;
-- Who may search a mailbox: who may see it, and the tables' owner itself. To be asked in a function with definer's rights,
-- in which the current user is that owner, whoever called: the session's user and role tell who did.
create function search.may_read(mailbox uuid) returns boolean
language sql stable
return
    mailbox = any(identity.visible_mailboxes())
    or (current_setting('role') = 'none' and session_user = current_user)
-- ;;
-- How many of a mailbox's messages cannot be found by their words yet.
create function search.unfilled_count(mailbox uuid) returns bigint
language plpgsql stable security definer set search_path = '' as $$
begin
    -- First alone: with the count, the plan would begin with the whole mailbox.
    if not exists (select from search.unfilled where mailbox_id = mailbox) or not search.may_read(mailbox) then
        return 0;
    end if;
    return (
        select count(*)
        from mail.messages as message
        where
            message.mailbox_id = mailbox
            and message.duplicate_of is null
            and not exists (select from search.messages as kept where kept.message_id = message.message_id)
    );
end
$$
