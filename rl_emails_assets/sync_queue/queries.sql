-- The life of a sync request. Each statement is named by the line above it and read by sync_queue/statements.py.
-- What waits or runs is in `requests`; the statement that ends a request moves it to `ended_requests`. Whatever makes a
-- request claimable, now or later, says so on the channel rl_emails_sync_requests, so that a sensor need not poll.
-- A request of 'learning' reads no source, for only what is made of the mail has to change; whoever joins it wants more.
-- Of two kinds the more thorough is the smaller word: disconnect < full < partial.

-- name: enqueue
-- One request waits for a mailbox at most: another one joins it. The more thorough kind wins, and the earlier time; but
-- a machine that asks does not cut short the wait after a failure (a provider that is down would be hammered by its own
-- pushes), only a person does. A mailbox that is not connected is refused: its grant is gone, or it is being erased.
insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
select gen_random_uuid(), c.mailbox_id, %(kind)s, %(asked_by)s, 'todo', now() + make_interval(secs => %(delay_seconds)s)
from mailboxes.connections c
where c.mailbox_id = any(%(mailbox_ids)s) and (c.state = 'connected' or %(kind)s = 'disconnect')
order by c.mailbox_id
on conflict (mailbox_id) where state = 'todo'
do update set
    asked_by = case when excluded.kind < requests.kind or requests.asked_by = 'learning' then excluded.asked_by
                    else requests.asked_by end,
    kind = least(requests.kind, excluded.kind),
    run_after = case when requests.attempts > 0 and excluded.asked_by <> all(%(people)s) then requests.run_after
                     else least(requests.run_after, excluded.run_after) end
returning request_id, mailbox_id, (xmax <> 0) as joined, pg_notify('rl_emails_sync_requests', '')

-- name: due
-- What a sensor may ask a run for: waiting and due, or held by a run whose lease has lapsed. Changes nothing.
select d.request_id, d.mailbox_id, d.kind, d.asked_by, d.attempts, d.since
from (
    (select r.request_id, r.mailbox_id, r.kind, r.asked_by, r.attempts, r.run_after as since
     from sync_queue.requests r
     where r.state = 'todo' and r.run_after <= now()
       and not exists (select from sync_queue.requests h where h.mailbox_id = r.mailbox_id and h.state = 'doing')
       and (r.kind = 'disconnect' or exists (select from mailboxes.connections c
                                             where c.mailbox_id = r.mailbox_id and c.state = 'connected'))
     order by r.run_after limit %(most)s)
    union all
    (select r.request_id, r.mailbox_id, r.kind, r.asked_by, r.attempts, r.leased_until
     from sync_queue.requests r
     where r.state = 'doing' and r.leased_until < now()
     order by r.leased_until limit %(most)s)
) d
order by d.since, d.request_id
limit %(most)s

-- name: next_due_at
-- When the next request becomes claimable without anyone saying so: its time comes, or its run's lease lapses.
select min(at) as at from (
    select min(run_after) as at from sync_queue.requests where state = 'todo' and run_after > now()
    union all
    select min(leased_until) from sync_queue.requests where state = 'doing' and leased_until > now()
) t

-- name: claim
-- The lapsed claim of a mailbox, else its waiting request, unless a run holds the mailbox. A lapsed claim is a run that
-- died without a word. A disconnect is claimed by the job that disconnects and by no other. (Who holds the mailbox is
-- asked by a scalar subquery: `not exists` would be answered by hashing everything that runs, at every claim.)
-- A claim does not wait for the disk: one that a crash of the server forgets is taken again, by another run, and the
-- first one's next write is refused like that of any lapsed claim. A claim is a transaction of its own for that reason.
with unhurried as (
    select set_config('synchronous_commit', 'off', true) as setting
), candidate as (
    select r.request_id
    from sync_queue.requests r
    where r.mailbox_id = any(%(mailbox_ids)s) and (r.kind = 'disconnect') = %(is_disconnect)s
      and ((r.state = 'doing' and r.leased_until < now())
           or (r.state = 'todo' and r.run_after <= now()
               and (select h.request_id from sync_queue.requests h
                    where h.mailbox_id = r.mailbox_id and h.state = 'doing') is null))
    for update skip locked
)
update sync_queue.requests r
set state = 'doing', attempts = r.attempts + 1, deaths = r.deaths + (r.state = 'doing')::int,
    lease_token = gen_random_uuid(), run_id = %(run_id)s,
    leased_until = now() + make_interval(secs => %(lease_seconds)s)
from candidate, unhurried
where r.request_id = candidate.request_id and unhurried.setting = 'off'
returning r.request_id, r.mailbox_id, r.kind, r.asked_by, r.attempts

-- name: heartbeat
update sync_queue.requests
set leased_until = now() + make_interval(secs => %(lease_seconds)s)
where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
returning request_id

-- name: succeed
-- Also ends the dead letters whose work is done by this: a full sync does all, a partial one what a partial one does.
with done as (
    delete from sync_queue.requests
    where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
    returning *
), moved as (
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, created_at, state)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, created_at, 'succeeded' from done
), made_up_for as (
    update sync_queue.ended_requests e
    set state = 'cancelled', error = concat_ws(' ', e.error, 'A later request did its work.')
    from done d
    where e.mailbox_id = d.mailbox_id and e.state = 'failed'
      and e.kind >= d.kind and d.asked_by <> 'learning'
)
select d.request_id,
       case when exists (select from sync_queue.requests w where w.mailbox_id = d.mailbox_id and w.state = 'todo')
            then pg_notify('rl_emails_sync_requests', '') end
from done d

-- name: held
select request_id, attempts, deaths from sync_queue.requests
where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
for update

-- name: held_mailboxes
select mailbox_id from sync_queue.requests where state = 'doing' and run_id = %(run_id)s

-- name: retry
-- Back to waiting; where another request waits already, that one does the work, as late and as thoroughly, and this ends.
with failed as (
    delete from sync_queue.requests where request_id = %(request_id)s returning *
), again as (
    insert into sync_queue.requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state, run_after)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths + %(deaths)s, run_id, %(error)s, created_at, 'todo',
           now() + make_interval(secs => %(delay_seconds)s)
    from failed
    on conflict (mailbox_id) where state = 'todo'
    do update set
        asked_by = case when requests.asked_by = 'learning' then excluded.asked_by else requests.asked_by end,
        kind = least(requests.kind, excluded.kind),
        attempts = greatest(requests.attempts, excluded.attempts),
        deaths = greatest(requests.deaths, excluded.deaths),
        error = excluded.error,
        run_after = greatest(requests.run_after, excluded.run_after)
    returning request_id
), moved as (
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
    select f.request_id, f.mailbox_id, f.kind, f.asked_by, f.attempts, f.deaths + %(deaths)s, f.run_id,
           concat_ws(' ', %(error)s::text, 'Another request continues its work.'), f.created_at, 'cancelled'
    from failed f
    where f.request_id not in (select request_id from again)
)
select request_id, pg_notify('rl_emails_sync_requests', '') from again

-- name: bury
-- One dead letter a mailbox and kind is open: the latest.
with dead as (
    delete from sync_queue.requests where request_id = %(request_id)s returning *
), older as (
    update sync_queue.ended_requests e
    set state = 'cancelled', error = concat_ws(' ', e.error, 'A later request failed too; see that one.')
    from dead d
    where e.mailbox_id = d.mailbox_id and e.state = 'failed' and e.kind = d.kind
), moved as (
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, is_permanent, created_at, state)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths + %(deaths)s, run_id, %(error)s, %(is_permanent)s, created_at,
           'failed'
    from dead
)
select d.request_id,
       case when exists (select from sync_queue.requests w where w.mailbox_id = d.mailbox_id and w.state = 'todo')
            then pg_notify('rl_emails_sync_requests', '') end
from dead d

-- name: bury_poison
-- A request whose runs died this often without a word is not given to another one.
with poison as (
    select request_id from sync_queue.requests
    where state = 'doing' and leased_until < now() and deaths + 1 >= %(most_deaths)s
    for update skip locked
), dead as (
    delete from sync_queue.requests r using poison p where r.request_id = p.request_id returning r.*
), older as (
    update sync_queue.ended_requests e
    set state = 'cancelled', error = concat_ws(' ', e.error, 'A later request failed too; see that one.')
    from dead d
    where e.mailbox_id = d.mailbox_id and e.state = 'failed' and e.kind = d.kind
)
insert into sync_queue.ended_requests
    (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
select request_id, mailbox_id, kind, asked_by, attempts, deaths + 1, run_id,
       format('Its run died %%s times without reporting an error; the last one was %%s.', deaths + 1, run_id),
       created_at, 'failed'
from dead
returning request_id, pg_notify('rl_emails_sync_requests', '')

-- name: hand_back
-- The runs were stopped on purpose: each request ends, and a new one waits in its place with all its tries before it.
with stopped as (
    delete from sync_queue.requests where state = 'doing' and run_id = any(%(run_ids)s) returning *
), moved as (
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id,
           'Its run was stopped; another request continues its work.', created_at, 'cancelled'
    from stopped
)
insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
select gen_random_uuid(), mailbox_id, kind, asked_by, 'todo', now() from stopped
on conflict (mailbox_id) where state = 'todo'
do update set
    asked_by = case when requests.asked_by = 'learning' then excluded.asked_by else requests.asked_by end,
    kind = least(requests.kind, excluded.kind),
    run_after = least(requests.run_after, excluded.run_after)
returning mailbox_id, pg_notify('rl_emails_sync_requests', '')

-- name: cancel
-- A person stopped the run: its request ends and nothing takes its place.
with stopped as (
    delete from sync_queue.requests where state = 'doing' and run_id = %(run_id)s returning *
), moved as (
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id,
           'Its run was cancelled.', created_at, 'cancelled'
    from stopped
)
select s.mailbox_id,
       case when exists (select from sync_queue.requests w where w.mailbox_id = s.mailbox_id and w.state = 'todo')
            then pg_notify('rl_emails_sync_requests', '') end
from stopped s

-- name: cancel_waiting
-- The run that was asked for it was cancelled before it claimed. A request that changed since is left alone.
with stopped as (
    delete from sync_queue.requests
    where request_id = %(request_id)s and state = 'todo' and attempts = %(attempts)s
    returning *
)
insert into sync_queue.ended_requests
    (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id,
       'Its run was cancelled before it began.', created_at, 'cancelled'
from stopped
returning mailbox_id

-- name: cancel_syncs
-- The mailbox cannot be synced any more: what waits would be claimed, fail, and be a dead letter that nobody can redrive.
with stopped as (
    delete from sync_queue.requests
    where mailbox_id = %(mailbox_id)s and state = 'todo' and kind <> 'disconnect'
    returning *
)
insert into sync_queue.ended_requests
    (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, error, created_at, state)
select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, %(error)s, created_at, 'cancelled'
from stopped
returning request_id

-- name: put_off
-- The run that was asked for it failed before it claimed; that is a try as well. Locks the row for `bury`.
update sync_queue.requests
set attempts = attempts + 1, error = %(error)s, run_after = now() + make_interval(secs => %(delay_seconds)s)
where request_id = %(request_id)s and state = 'todo' and attempts = %(attempts)s
returning request_id, attempts, pg_notify('rl_emails_sync_requests', '')

-- name: held_runs
select run_id from sync_queue.requests where state = 'doing'

-- name: waiting_and_running
select r.request_id, r.mailbox_id, c.address, r.kind, r.asked_by, r.state, r.attempts, r.run_id, r.error, r.created_at,
       r.run_after, r.leased_until
from sync_queue.requests r join mailboxes.connections c using (mailbox_id)
order by r.state, r.run_after, r.request_id
limit %(most)s

-- name: dead_letters
select e.request_id, e.mailbox_id, c.address, c.state as mailbox_state, e.kind, e.asked_by, e.attempts, e.deaths,
       e.is_permanent, e.run_id, e.error, e.created_at, e.finished_at
from sync_queue.ended_requests e join mailboxes.connections c using (mailbox_id)
where e.state = 'failed' and (%(request_id)s::uuid is null or e.request_id = %(request_id)s)
  and (%(mailbox_id)s::uuid is null or e.mailbox_id = %(mailbox_id)s)
order by e.finished_at desc, e.request_id

-- name: redrive
-- A new request takes the dead letter's place (Dagster never forgets the run key of the old one).
with dead as (
    update sync_queue.ended_requests e
    set state = 'cancelled', error = concat_ws(' ', e.error, 'It was redriven.')
    from mailboxes.connections c
    where e.request_id = any(%(request_ids)s) and e.state = 'failed' and c.mailbox_id = e.mailbox_id
      and (c.state = 'connected' or e.kind = 'disconnect')
    returning e.mailbox_id, e.kind
), wanted as (
    select mailbox_id, min(kind) as kind from dead group by mailbox_id
)
insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
select gen_random_uuid(), mailbox_id, kind, 'button', 'todo', now() from wanted order by mailbox_id
on conflict (mailbox_id) where state = 'todo'
do update set
    asked_by = case when requests.asked_by = 'learning' then excluded.asked_by else requests.asked_by end,
    kind = least(requests.kind, excluded.kind),
    run_after = least(requests.run_after, excluded.run_after)
returning request_id, mailbox_id, pg_notify('rl_emails_sync_requests', '')

-- name: summary
select state, count(*) as request_count, min(created_at) as oldest_at from sync_queue.requests group by state
union all
select state, count(*), min(finished_at) from sync_queue.ended_requests where state = 'failed' group by state

-- name: record_push
-- A push is a hint that the mailboxes of an address (one an organization) have changed up to a history id. The watches
-- are locked first, then the requests, then the day's count: always in this order, and of several always by mailbox id,
-- so that two pushes never wait for each other. What is counted is the most that became of it for any of them.
with seen as (
    insert into sync_queue.pushes (push_id) values (%(push_id)s) on conflict do nothing returning push_id
), mailbox as (
    select c.mailbox_id, (k.position->>'history_id')::numeric as history_id
    from mailboxes.connections c
    left join raw.cursors k on k.mailbox_id = c.mailbox_id and k.source = 'gmail'
    where c.address = lower(%(address)s) and c.provider = 'gmail' and c.state = 'connected'
      and exists (select from seen)
), locked as materialized (
    select w.mailbox_id from mailboxes.watches w
    where w.mailbox_id in (select mailbox_id from mailbox)
    order by w.mailbox_id
    for update
), watched as (
    update mailboxes.watches w
    set last_push_at = now(), push_count = w.push_count + 1
    from locked l
    where w.mailbox_id = l.mailbox_id
    returning w.mailbox_id
), asked as (
    insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
    select gen_random_uuid(), m.mailbox_id, 'partial', 'webhook', 'todo', now()
    from mailbox m
    where (m.history_id is null or m.history_id < %(history_id)s) and (select count(*) from watched) >= 0
    order by m.mailbox_id
    on conflict (mailbox_id) where state = 'todo'
    do update set run_after = case when requests.attempts > 0 then requests.run_after
                                   else least(requests.run_after, excluded.run_after) end
    returning (xmax <> 0) as joined
), outcome as (
    select case when not exists (select from seen) then 'duplicate'
                when not exists (select from mailbox) then 'unknown'
                when not exists (select from asked) then 'known'
                when (select bool_and(joined) from asked) then 'joined'
                else 'queued' end as outcome
), counted as (
    insert into sync_queue.push_counts (day, outcome, push_count)
    select (now() at time zone 'UTC')::date, outcome, 1 from outcome
    on conflict (day, outcome) do update set push_count = push_counts.push_count + 1
)
select outcome, case when outcome in ('queued', 'joined') then pg_notify('rl_emails_sync_requests', '') end
from outcome

-- name: count_garbage
insert into sync_queue.push_counts (day, outcome, push_count)
values ((now() at time zone 'UTC')::date, 'garbage', 1)
on conflict (day, outcome) do update set push_count = push_counts.push_count + 1
