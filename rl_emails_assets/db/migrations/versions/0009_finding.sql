-- Migration 0009, third part: finding. See 0009_words.sql for how these files are written.

create function search.unwanted(mailbox uuid) returns text
language sql immutable parallel safe strict
return 'not ' || search.has_label(mailbox, '{TRASH,SPAM}')
-- ;;
-- All of the words but one, or but two, whichever they are: what is looked for when hardly anything has all of them.
create function search.all_but(missing integer, words text[]) returns tsquery[]
language plpgsql immutable parallel safe strict set search_path = '' as $$
declare
    queries text[] := array(
        select distinct query::text from (select search.words_query(word, false) as query from unnest(words) as word) as each
        where numnode(query) > 0
        order by 1
    );
    most integer := case when missing = 1 then 12 else 8 end;
begin
    -- What is left of few words says too little, and of many there are too many combinations to look through.
    if cardinality(queries) not between 2 * missing + 1 and most then
        return '{}';
    end if;
    return array(
        select kept::tsquery
        from
            generate_series(1, cardinality(queries)) as one,
            generate_series(1, case when missing = 1 then 1 else one - 1 end) as other,
            lateral (
                select string_agg('(' || word || ')', ' & ') as kept
                from unnest(queries) with ordinality as each (word, place)
                where place <> one and (missing = 1 or place <> other)
            ) as combination
    );
end
$$
-- ;;
-- The newest 500 messages under a condition (a word that is in half of all mail would cost seconds to rank), the best
-- 400 of them by how closely together the words stand and in which part of the message; weights from 0 to 1.
create function search.by_words(mailbox uuid, condition text, ranking tsquery, as_of timestamptz)
returns table (message_id uuid, weight float8, matched_count integer)
language plpgsql stable set search_path = '' as $$
declare
    sampled integer;
    newest text;
begin
    -- Postgres cannot tell how common a beginning of a word or a phrase is, so the newest mail is asked. What is common
    -- is met soon on the way back from the newest; what is rare the index finds.
    execute format(
        $q$
        select count(*)
        from (
            select * from search.messages as each
            where each.mailbox_id = $1 order by each.received_at desc, each.message_id desc limit 2000
        ) as m
        where %s
        $q$,
        condition
    ) into sampled using mailbox;
    newest := case
        when sampled >= 100 then format(
            $q$
            select m.message_id, m.received_at, m.words
            from search.messages as m
            where m.mailbox_id = $1 and m.added_at <= $3 and (%s) is true
            order by m.received_at desc, m.message_id desc
            limit 500
            $q$,
            condition
        )
        else format(
            $q$
            with matching as materialized (
                select m.message_id, m.received_at from search.messages as m
                where m.mailbox_id = $1 and m.added_at <= $3 and %s
            )
            select m.message_id, m.received_at, m.words
            from (
                select * from matching order by matching.received_at desc, matching.message_id desc limit 500
            ) as latest
            join search.messages as m using (message_id)
            $q$,
            condition
        )
    end;
    return query execute format(
        $q$
        with newest as materialized (%s),
        weighed as (
            select
                newest.message_id, newest.received_at,
                ts_rank_cd('{0.1,0.4,0.6,1}', newest.words, $2, 1)::float8 as weight
            from newest
        )
        select
            weighed.message_id,
            coalesce(sqrt(weighed.weight / nullif(max(weighed.weight) over (), 0)), 0),
            (count(*) over ())::integer
        from weighed
        order by weighed.weight desc, weighed.received_at desc, weighed.message_id desc
        limit 400
        $q$,
        newest
    ) using mailbox, ranking, as_of;
end
$$
-- ;;
-- The 200 nearest vectors under a condition, nearer than a cosine of 0.3, beyond which MiniLM's neighbours are about
-- something else. Codes pick whose distance is measured, unless the condition leaves few.
create function search.by_meaning(
    mailbox uuid, condition text, query_vector text, query_model text, query_precision text, as_of timestamptz
)
returns table (message_id uuid, nearness float8)
language plpgsql stable set search_path = '' as $$
declare
    few boolean := false;
    candidates text;
begin
    if condition <> 'true' then
        execute format(
            'select count(*) <= 2000 from (select from search.messages as m where m.mailbox_id = $1 and %s limit 2001) as each',
            condition
        ) into few using mailbox;
    end if;
    candidates := case
        when few then format('select m.message_id from search.messages as m where m.mailbox_id = $1 and %s', condition)
        else format(
            'select e.message_id from embeddings.messages as e where e.mailbox_id = $1 '
            'order by e.code operator(@vector@.<~>) search.code_of($2::@vector@.halfvec) limit %s',
            case when condition = 'true' then 400 else 3000 end
        )
    end;
    return query execute format(
        $q$
        with candidates as materialized (%s)
        select e.message_id, 1 - (e.vector operator(@vector@.<=>) $2::@vector@.halfvec) as nearness
        from candidates
        join embeddings.messages as e using (message_id)
        join search.messages as m using (message_id)
        where
            e.mailbox_id = $1 and e.model = $3 and e.precision = $4
            and m.added_at <= $5 and e.vector operator(@vector@.<=>) $2::@vector@.halfvec <= 0.7 and %s and %s
        order by 2 desc
        limit 200
        $q$,
        candidates, case when few then 'true' else condition end, search.unwanted(mailbox)
    ) using mailbox, query_vector, query_model, query_precision, as_of;
end
$$
-- ;;
-- Addresses whose name or address has each of the words, as the beginning of one of its own or nearly so.
create function search.contacts_like(mailbox uuid, source text, with_typos boolean, most integer)
returns table (address text, name text, likeness float8)
language plpgsql stable security definer set search_path = '' set pg_trgm.word_similarity_threshold = 0.45 as $$
declare
    words text[] := (search.tokens(source))[1:5];
    named constant text := $n$search.folded(' ' || c.name || ' ' || c.address)$n$;
    condition text;
    likeness text := '1';
begin
    if not search.may_read(mailbox) or cardinality(words) = 0 then
        return;
    end if;
    if with_typos then
        select
            string_agg(format('%s operator(@pg_trgm@.%%>) %L', named, word), ' and '),
            'least(' || string_agg(format('@pg_trgm@.word_similarity(%L, %s)', word, named), ', ') || ')'
        into condition, likeness
        from unnest(words) as word;
    else
        select string_agg(format('%s like %L', named, '% ' || word || '%'), ' and ') into condition from unnest(words) as word;
    end if;
    return query execute format(
        $q$
        select c.address, c.name, (%s)::float8 as likeness
        from mail.contacts as c
        where c.mailbox_id = $1 and %s
        order by likeness desc, c.from_count + 2 * c.to_count desc, c.last_at desc, c.address
        limit $2
        $q$,
        likeness, condition
    ) using mailbox, most;
end
$$
-- ;;
-- Messages by words and by meaning, the best first. `tree` is what is asked for, `conditions` the part of it without
-- free words, `words` those; `query_vector` may be null. The score is 1 for all words (0.7 for all but one, 0.4 for all but
-- two, 0.4 for a sender whose name is nearly the words), and the weight of the words, and the cosine of the vectors.
create function search.found(
    mailbox uuid, tree jsonb, conditions jsonb, ranking jsonb, words text[], query_vector text,
    query_model text, query_precision text, with_unwanted boolean, as_of timestamptz
)
returns table (
    message_id uuid, received_at timestamptz, score float8, has_words boolean, has_meaning boolean, matched_count integer
)
language plpgsql stable security definer set search_path = '' set jit = off
set max_parallel_workers_per_gather = 0 as $$
#variable_conflict use_column
declare
    wanted text := case when with_unwanted then 'true' else search.unwanted(mailbox) end;
    condition text := case when conditions is null then 'true' else search.condition(mailbox, conditions) end;
    ids uuid[];
    scores float8[];
    near_ids uuid[] := '{}';
    nearnesses float8[] := '{}';
    matched integer;
    relaxed tsquery[];
    senders tsquery;
begin
    if not search.may_read(mailbox) then
        return;
    end if;
    select coalesce(array_agg(best.message_id), '{}'), coalesce(array_agg(1 + best.weight), '{}'), max(best.matched_count)
    into ids, scores, matched
    from search.by_words(
        mailbox, search.condition(mailbox, tree) || ' and ' || wanted, search.as_tsquery(ranking), as_of
    ) as best;
    for missing in 1 .. 2 loop
        relaxed := search.all_but(missing, words);
        if cardinality(ids) < 10 and cardinality(relaxed) > 0 then
            select ids || coalesce(array_agg(best.message_id), '{}'),
                scores || coalesce(array_agg(1 - 0.3 * missing + best.weight), '{}')
            into ids, scores
            from search.by_words(
                mailbox,
                (
                    -- Apart, so that of each combination the rarest word leads the index.
                    select format('(%s) and %s and %s', string_agg(format('m.words @@ %L::tsquery', one), ' or '), condition, wanted)
                    from unnest(relaxed) as one
                ),
                (select string_agg('(' || one::text || ')', ' | ')::tsquery from unnest(relaxed) as one),
                as_of
            ) as best;
        end if;
    end loop;
    if cardinality(ids) < 10 and cardinality(words) between 1 and 3 then
        select string_agg(search.quoted('f:' || contact.address), ' | ')::tsquery into senders
        from search.contacts_like(mailbox, array_to_string(words, ' '), true, 5) as contact;
        if senders is not null then
            select ids || coalesce(array_agg(best.message_id), '{}'),
                scores || coalesce(array_agg(0.4 + best.weight), '{}')
            into ids, scores
            from search.by_words(
                mailbox, format('m.words @@ %L::tsquery and %s and %s', senders, condition, wanted), senders, as_of
            ) as best;
        end if;
    end if;
    if query_vector is not null then
        select coalesce(array_agg(nearest.message_id), '{}'), coalesce(array_agg(nearest.nearness), '{}')
        into near_ids, nearnesses
        from search.by_meaning(
            mailbox, condition, query_vector, query_model, query_precision, as_of
        ) as nearest;
    end if;
    return query
    with worded as (
        select each.id, max(each.score) as score from unnest(ids, scores) as each (id, score) group by each.id
    ),
    near as (
        select each.id, each.nearness from unnest(near_ids, nearnesses) as each (id, nearness)
    ),
    fused as (
        select
            id,
            coalesce(worded.score, 0) + coalesce(
                near.nearness,
                (
                    select greatest(1 - (embedded.vector operator(@vector@.<=>) query_vector::@vector@.halfvec), 0)
                    from embeddings.messages as embedded
                    where
                        embedded.message_id = id and embedded.model = query_model
                        and embedded.precision = query_precision and query_vector is not null
                ),
                0
            ) as score,
            worded.id is not null as has_words,
            near.id is not null as has_meaning
        from worded
        full join near using (id)
    )
    select fused.id, message.received_at, fused.score, fused.has_words, fused.has_meaning, coalesce(matched, 0)
    from fused
    join search.messages as message on message.message_id = fused.id and message.mailbox_id = mailbox
    order by fused.score desc, message.received_at desc, fused.id desc;
end
$$
-- ;;
-- Messages under a condition and nothing else, the newest first, from a place on.
create function search.listed(
    mailbox uuid, tree jsonb, with_unwanted boolean, before_at timestamptz, before_id uuid, most integer
)
returns table (message_id uuid, received_at timestamptz)
language plpgsql stable security definer set search_path = '' set jit = off
set max_parallel_workers_per_gather = 0 as $$
begin
    if not search.may_read(mailbox) then
        return;
    end if;
    return query execute format(
        $q$
        select m.message_id, m.received_at
        from search.messages as m
        where m.mailbox_id = $1 and %s and %s and ($2 is null or (m.received_at, m.message_id) < ($2, $3))
        order by m.received_at desc, m.message_id desc
        limit $4
        $q$,
        search.condition(mailbox, tree), case when with_unwanted then 'true' else search.unwanted(mailbox) end
    ) using mailbox, before_at, before_id, most;
end
$$
-- ;;
-- Newest conversations whose subject has the words, of which the last may be unfinished.
create function search.subjects_like(mailbox uuid, source text, most integer)
returns table (thread_id uuid, subject text, received_at timestamptz)
language plpgsql stable security definer set search_path = '' set jit = off as $$
declare
    query tsquery := search.field_query('s', source, true);
    sampled integer;
begin
    if not search.may_read(mailbox) or numnode(query) = 0 then
        return;
    end if;
    -- As in by_words: what is common is met soon on the way back, what is rare the index finds.
    select count(*) into sampled
    from (
        select each.words from search.messages as each
        where each.mailbox_id = mailbox order by each.received_at desc, each.message_id desc limit 1000
    ) as latest
    where latest.words @@ query;
    return query execute format(
        $q$
        with matching as %s (
            select m.message_id, m.received_at from search.messages as m
            where m.mailbox_id = $1 and (m.words @@ $2)%s and %s
        ),
        newest as (
            select matching.message_id, matching.received_at from matching
            order by matching.received_at desc, matching.message_id desc limit 50
        ),
        conversations as (
            select distinct on (message.thread_id) message.thread_id, message.subject, newest.received_at
            from newest
            join mail.messages as message using (message_id)
            order by message.thread_id, newest.received_at desc
        )
        select t.thread_id, t.subject, t.received_at
        from conversations as t
        order by t.received_at desc, t.thread_id
        limit $3
        $q$,
        case when sampled >= 25 then 'not materialized' else 'materialized' end,
        case when sampled >= 25 then ' is true' else '' end,
        search.unwanted(mailbox)
    ) using mailbox, query, most;
end
$$
-- ;;
-- For each folded word its stem, to mark in a text what a search for another form of it found.
create function search.stems(words text[]) returns table (word text, stem text)
language sql immutable set search_path = '' as $$
    select each, search.stem(each) from unnest(words) as each
$$
