-- Migration 0009, second part: a query's tree as conditions. See 0009_words.sql for how these files are written.

create function search.quoted(lexeme text) returns text
language sql immutable parallel safe strict
return '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || ''''
-- ;;
create function search.stem(token text) returns text
language sql immutable parallel safe strict
return coalesce((ts_lexize('search.english_stem', token))[1], token)
-- ;;
-- Words next to each other, whatever their forms; the last may be the beginning of a word.
create function search.words_query(source text, is_unfinished boolean) returns tsquery
language plpgsql immutable parallel safe strict set search_path = '' as $$
declare
    words text[] := search.tokens(source);
    last_word text := words[cardinality(words)];
    query text;
begin
    select string_agg(search.quoted(search.stem(word)), ' <-> ' order by place) into query
    from unnest(words) with ordinality as each (word, place)
    where not is_unfinished or place < cardinality(words);
    if is_unfinished and last_word is not null then
        -- What is unstemmed has no place in the text, so an unfinished word follows the others anywhere.
        query := concat_ws(
            ' & ', query, '(' || search.quoted(last_word) || ':* | ' || search.quoted(search.stem(last_word)) || ')'
        );
    end if;
    return coalesce(query, '')::tsquery;
end
$$
-- ;;
-- The marked words of a field: an address or a domain as a whole, anything else by each of its words.
create function search.field_query(mark text, source text, is_unfinished boolean) returns tsquery
language plpgsql immutable parallel safe strict set search_path = '' as $$
declare
    words text[];
    ends text := case when is_unfinished then ':*' else '' end;
    query text;
begin
    if mark in ('f', 't', 'c') and source ~ '^[^[:space:]]*@[^[:space:]]*$' then
        return (search.quoted(mark || ':' || lower(source)) || ends)::tsquery;
    end if;
    words := search.tokens(source);
    if mark = 's' then
        select string_agg(
            case
                when place < cardinality(words) or not is_unfinished then search.quoted('s:' || search.stem(word))
                else '(' || search.quoted('s:' || word) || ':* | ' || search.quoted('s:' || search.stem(word)) || ')'
            end,
            ' & '
        ) into query
        from unnest(words) with ordinality as each (word, place);
        if cardinality(words) > 1 and not is_unfinished then
            query := query || ' & (' || (
                select string_agg(search.quoted(search.stem(word)) || ':A', ' <-> ' order by place)
                from unnest(words) with ordinality as each (word, place)
            ) || ')';
        end if;
    else
        select string_agg(
            search.quoted(mark || ':' || word) || case when place = cardinality(words) then ends else '' end, ' & '
        ) into query
        from unnest(words) with ordinality as each (word, place);
    end if;
    return coalesce(query, '')::tsquery;
end
$$
-- ;;
-- A part of the tree as one query of words, where it is about words only; null where it is not, '' where it has none.
create function search.as_tsquery(node jsonb) returns tsquery
language plpgsql immutable parallel safe strict set search_path = '' as $$
declare
    kind text := node->>'kind';
    child jsonb;
    part tsquery;
    whole tsquery := '';
begin
    case
        when kind = 'words' then
            return search.words_query(node->>'text', (node->>'unfinished')::boolean);
        when kind = 'field' then
            return search.field_query(node->>'field', node->>'text', (node->>'unfinished')::boolean);
        when kind = 'has' then
            return search.quoted('h:' || (node->>'text'))::tsquery;
        when kind in ('and', 'or', 'not') then
            for child in select value from jsonb_array_elements(node->'of') loop
                part := search.as_tsquery(child);
                if part is null then
                    return null;
                end if;
                if numnode(part) > 0 then
                    whole := case
                        when kind = 'not' then !! part
                        when numnode(whole) = 0 then part
                        when kind = 'and' then whole && part
                        else whole || part
                    end;
                end if;
            end loop;
            return whole;
        else
            return null;
    end case;
end
$$
-- ;;
-- The names of a mailbox's labels that are meant by `wanted`, whatever their case, with - for spaces, _ and /.
create function search.labels_like(mailbox uuid, wanted text) returns text[]
language plpgsql stable set search_path = '' as $$
declare
    meant text[] := '{}';
    this_one text;
begin
    -- One step of the index a label: a mailbox has a hundred labels and a million labelled messages.
    select min(label) into this_one from raw.labels where mailbox_id = mailbox;
    while this_one is not null loop
        if translate(lower(this_one), ' /_', '---') = translate(lower(wanted), ' /_', '---') then
            meant := meant || this_one;
        end if;
        select min(label) into this_one from raw.labels where mailbox_id = mailbox and label > this_one;
    end loop;
    return meant;
end
$$
-- ;;
create function search.has_label(mailbox uuid, labels text[]) returns text
language sql immutable parallel safe strict
return format(
    'exists (select from raw.labels as l where l.message_id = m.message_id and l.mailbox_id = %L and l.label = any(%L))',
    mailbox, labels
)
-- ;;
create function search.state_condition(mailbox uuid, state text) returns text
language plpgsql stable strict set search_path = '' as $$
declare
    own_state text := format(
        'exists (select from app.message_states as s where s.message_id = m.message_id and s.mailbox_id = %L and ', mailbox
    );
    own_word text := format(
        '(select f.value from app.feedback as f where f.message_id = m.message_id and f.mailbox_id = %L '
        'and f.kind = ''importance'' order by f.created_at desc, f.feedback_id limit 1)',
        mailbox
    );
    own_mail tsquery;
begin
    case state
        when 'unread' then
            return '(' || search.has_label(mailbox, '{UNREAD}') || ' and not ' || own_state || 's.read_at is not null))';
        when 'read' then
            return 'not ' || search.state_condition(mailbox, 'unread');
        when 'starred' then
            return '(' || search.has_label(mailbox, '{STARRED}') || ' or ' || own_state || 's.starred_at is not null))';
        when 'done' then
            return own_state || 's.done_at is not null)';
        when 'snoozed' then
            return own_state || 's.snoozed_until > now())';
        when 'important' then
            return format(
                'coalesce(%s = ''important'', exists (select from priorities.messages as p '
                'where p.message_id = m.message_id and p.mailbox_id = %L and p.score >= 0.5))',
                own_word, mailbox
            );
        when 'sent' then
            select string_agg(search.quoted('f:' || address), ' | ')::tsquery into own_mail
            from (
                select address from mailboxes.aliases where mailbox_id = mailbox
                union all
                select address from mailboxes.connections where mailbox_id = mailbox
            ) as own
            where address like '%@%';
            return format('(m.words @@ %L::tsquery or %s)', coalesce(own_mail, ''), search.has_label(mailbox, '{SENT}'));
        when 'received' then
            return 'not ' || search.state_condition(mailbox, 'sent');
        else
            raise exception 'There is no state %.', state using errcode = 'invalid_parameter_value';
    end case;
end
$$
-- ;;
-- The tree as a condition on `m`, a row of search.messages. Every value is quoted here; nothing else of the tree gets in.
create function search.condition(mailbox uuid, node jsonb) returns text
language plpgsql stable strict set search_path = '' as $$
declare
    kind text := node->>'kind';
    words tsquery := search.as_tsquery(node);
    gathered tsquery := '';
    child jsonb;
    part tsquery;
    parts text[] := '{}';
begin
    if words is not null then
        -- Of nothing but signs there is no word to find.
        return case when numnode(words) = 0 then 'false' else format('m.words @@ %L::tsquery', words) end;
    end if;
    case
        when kind in ('and', 'or') then
            for child in select value from jsonb_array_elements(node->'of') loop
                part := search.as_tsquery(child);
                if part is null then
                    parts := parts || search.condition(mailbox, child);
                elsif numnode(part) > 0 then
                    gathered := case
                        when numnode(gathered) = 0 then part
                        when kind = 'and' then gathered && part
                        else gathered || part
                    end;
                end if;
            end loop;
            if numnode(gathered) > 0 then
                parts := format('m.words @@ %L::tsquery', gathered) || parts;
            end if;
            return '(' || array_to_string(parts, ' ' || kind || ' ') || ')';
        when kind = 'not' then
            return 'not ' || search.condition(mailbox, node->'of'->0);
        when kind = 'received' then
            return format(
                '(m.received_at >= %L::timestamptz and m.received_at < %L::timestamptz)',
                coalesce(node->>'since', '-infinity'), coalesce(node->>'until', 'infinity')
            );
        when kind = 'larger' then
            return format('m.size_bytes > %L::integer', node->>'bytes');
        when kind = 'smaller' then
            return format('m.size_bytes < %L::integer', node->>'bytes');
        when kind = 'label' then
            return search.has_label(mailbox, search.labels_like(mailbox, node->>'text'));
        when kind = 'is' then
            return search.state_condition(mailbox, node->>'text');
        when kind = 'needs' then
            return format(
                'exists (select from classifications.messages as v where v.message_id = m.message_id '
                'and v.mailbox_id = %L and v.needs = %L)',
                mailbox, node->>'text'
            );
        when kind = 'category' then
            return format(
                'coalesce((select f.value from app.feedback as f where f.message_id = m.message_id and f.mailbox_id = %1$L '
                'and f.kind = ''category'' order by f.created_at desc, f.feedback_id limit 1), (select v.category '
                'from classifications.messages as v where v.message_id = m.message_id and v.mailbox_id = %1$L)) = %2$L',
                mailbox, node->>'text'
            );
        when kind = 'everything' then
            return 'true';
        else
            raise exception 'There is no condition %.', kind using errcode = 'invalid_parameter_value';
    end case;
end
$$
