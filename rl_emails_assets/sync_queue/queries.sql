-- The life of a sync request. Each statement is named by the line above it and read by sync_queue/queue.py.

-- name: enqueue
-- One request waits for a mailbox at most: a second one joins it, and the earlier time wins.
insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
values (%(request_id)s, %(mailbox_id)s, %(kind)s, %(asked_by)s, 'todo', now())
on conflict (mailbox_id) where state = 'todo'
do update set run_after = least(requests.run_after, excluded.run_after)
returning request_id, (xmax <> 0) as joined

-- name: due
-- What a sensor may ask a run for: waiting and due, or held by a run whose lease has lapsed. Changes nothing.
select distinct on (r.mailbox_id) r.request_id, r.mailbox_id, r.attempts
from sync_queue.requests r
where (r.state = 'todo' and r.run_after <= now()
       and not exists (select from sync_queue.requests d where d.mailbox_id = r.mailbox_id and d.state = 'doing'))
   or (r.state = 'doing' and r.leased_until < now())
order by r.mailbox_id, r.created_at
limit %(most)s

-- name: claim
-- A lapsed claim first, else the waiting request, unless another run holds the mailbox.
with candidate as (
    select r.request_id
    from sync_queue.requests r
    where r.mailbox_id = %(mailbox_id)s
      and ((r.state = 'doing' and r.leased_until < now())
           or (r.state = 'todo' and r.run_after <= now()
               and not exists (select from sync_queue.requests d
                               where d.mailbox_id = r.mailbox_id and d.state = 'doing')))
    order by r.state, r.created_at
    limit 1
    for update skip locked
)
update sync_queue.requests r
set state = 'doing', attempts = r.attempts + 1, lease_token = %(lease_token)s, run_id = %(run_id)s,
    leased_until = now() + make_interval(secs => %(lease_seconds)s)
from candidate
where r.request_id = candidate.request_id
returning r.request_id, r.mailbox_id, r.kind, r.attempts

-- name: heartbeat
update sync_queue.requests
set leased_until = now() + make_interval(secs => %(lease_seconds)s)
where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
returning request_id

-- name: succeed
update sync_queue.requests
set state = 'succeeded', finished_at = now(), leased_until = null, error = null
where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
returning request_id

-- name: held
select request_id, attempts from sync_queue.requests
where mailbox_id = %(mailbox_id)s and state = 'doing' and run_id = %(run_id)s
for update

-- name: retry
-- Back to waiting; where another request waits already, that one will do the work and this one ends.
update sync_queue.requests r
set state = case when exists (select from sync_queue.requests w
                              where w.mailbox_id = r.mailbox_id and w.state = 'todo') then 'cancelled' else 'todo' end,
    run_after = now() + make_interval(secs => %(delay_seconds)s),
    lease_token = null, leased_until = null, error = %(error)s
where r.request_id = %(request_id)s

-- name: bury
update sync_queue.requests
set state = 'failed', finished_at = now(), lease_token = null, leased_until = null, error = %(error)s
where request_id = %(request_id)s

-- name: bury_poison
-- A request whose runs died this often without a word is not given to another one.
update sync_queue.requests
set state = 'failed', finished_at = now(), lease_token = null, leased_until = null,
    error = format('Its run died %%s times without reporting an error; the last one was %%s.', attempts, run_id)
where state = 'doing' and leased_until < now() and attempts >= %(most_attempts)s
returning request_id

-- name: hand_back
-- The runs were stopped on purpose: each request ends, and a new one waits in its place with all its tries before it.
with stopped as (
    update sync_queue.requests
    set state = 'cancelled', finished_at = now(), lease_token = null, leased_until = null,
        error = 'Its run was stopped; another request continues its work.'
    where state = 'doing' and run_id = any(%(run_ids)s)
    returning mailbox_id, kind, asked_by
)
insert into sync_queue.requests (request_id, mailbox_id, kind, asked_by, state, run_after)
select gen_random_uuid(), mailbox_id, kind, asked_by, 'todo', now() from stopped
on conflict (mailbox_id) where state = 'todo'
do update set run_after = least(requests.run_after, excluded.run_after)
returning mailbox_id

-- name: held_runs
select run_id from sync_queue.requests where state = 'doing'

-- name: summary
select state, count(*) as request_count, min(created_at) as oldest_at
from sync_queue.requests
where state in ('todo', 'doing', 'failed')
group by state
