-- Runs on their way to, and at, workers. Each statement is named by the line above it and read by instance/handovers.py.
-- A worker is alive while its heartbeat is recent by the database's clock; a database that was away excuses silence.

-- name: register
insert into sync_queue.workers (worker_id, host, process, slots, version)
values (%(worker_id)s, %(host)s, %(process)s, %(slots)s, %(version)s)
on conflict (worker_id) do nothing

-- name: beat
update sync_queue.workers
set heartbeat_at = clock_timestamp(), ready = %(ready)s, busy = %(busy)s, run_count = %(run_count)s,
    is_stopping = %(is_stopping)s
where worker_id = %(worker_id)s
returning worker_id

-- name: unregister
-- A worker that still holds runs stays on record: whoever finds it dead reports them.
delete from sync_queue.workers w
where w.worker_id = %(worker_id)s
  and not exists (select from sync_queue.handovers h where h.worker_id = w.worker_id)

-- name: offer
-- Only as many as there are slots to take them.
with offered as (
    insert into sync_queue.handovers (run_id, code_server_id)
    select %(run_id)s, %(code_server_id)s
    where %(ready)s > (select count(*) from sync_queue.handovers where worker_id is null)
    on conflict (run_id) do nothing
    returning run_id
)
select run_id, pg_notify(%(channel)s, 'offer') from offered

-- name: withdraw
-- The one thing that decides between the launcher and a worker: whoever changes the row first has the run.
delete from sync_queue.handovers where run_id = %(run_id)s and worker_id is null returning run_id

-- name: known
select run_id from sync_queue.handovers where run_id = %(run_id)s

-- name: take
with offer as (
    select run_id from sync_queue.handovers
    where worker_id is null
    order by offered_at
    limit 1
    for update skip locked
), taken as (
    update sync_queue.handovers h
    set worker_id = %(worker_id)s, taken_at = clock_timestamp()
    from offer
    where h.run_id = offer.run_id
    returning h.run_id, h.code_server_id
), counted as (
    update sync_queue.workers set ready = greatest(ready - 1, 0), busy = busy + 1
    where worker_id = %(worker_id)s and exists (select from taken)
)
select run_id, code_server_id, pg_notify(%(taken_channel)s, run_id) from taken

-- name: executing
update sync_queue.handovers set process = %(process)s where run_id = %(run_id)s and worker_id = %(worker_id)s

-- name: ended
with ended as (
    delete from sync_queue.handovers where run_id = any(%(run_ids)s) and worker_id = %(worker_id)s
)
update sync_queue.workers
set ready = %(ready)s, busy = %(busy)s, run_count = %(run_count)s, heartbeat_at = clock_timestamp()
where worker_id = %(worker_id)s

-- name: offer_again
with offered as (
    update sync_queue.handovers set worker_id = null, process = null, taken_at = null, offered_at = clock_timestamp()
    where run_id = any(%(run_ids)s) and worker_id = %(worker_id)s
    returning run_id
)
select run_id, pg_notify(%(channel)s, 'offer') from offered

-- name: held
select run_id, code_server_id, process from sync_queue.handovers where worker_id = %(worker_id)s

-- name: cancelled
select run_id from sync_queue.handovers where worker_id = %(worker_id)s and cancel_at is not null

-- name: ask_to_cancel
with asked as (
    update sync_queue.handovers set cancel_at = coalesce(cancel_at, clock_timestamp())
    where run_id = %(run_id)s and worker_id is not null
    returning run_id
)
select run_id, pg_notify(%(channel)s, 'cancel') from asked

-- name: holder
select h.worker_id, h.process, w.host, w.process as worker_process,
       w.worker_id is null or greatest(w.heartbeat_at, pg_postmaster_start_time())
                              < clock_timestamp() - make_interval(secs => %(dead_seconds)s) as is_silent
from sync_queue.handovers h
left join sync_queue.workers w using (worker_id)
where h.run_id = %(run_id)s and h.worker_id is not null

-- name: living
select host, process, ready
from sync_queue.workers
where is_stopping is null and heartbeat_at > clock_timestamp() - make_interval(secs => %(alive_seconds)s)

-- name: on_the_way
select count(*) filter (where worker_id is null) as offered, count(*) filter (where worker_id is not null) as taken
from sync_queue.handovers

-- name: others
-- With those that others took for dead while they were taking a run: they have rows and no record.
select worker_id, host, process,
       greatest(heartbeat_at, pg_postmaster_start_time())
           < clock_timestamp() - make_interval(secs => %(dead_seconds)s) as is_silent
from sync_queue.workers
where worker_id <> %(worker_id)s
union all
select distinct h.worker_id, '', '', true
from sync_queue.handovers h
where h.worker_id is not null and h.taken_at < clock_timestamp() - make_interval(secs => %(dead_seconds)s)
  and not exists (select from sync_queue.workers w where w.worker_id = h.worker_id)

-- name: adopt
-- A dead worker's runs become this one's, to be reported; two that try at once do not both get them.
with dead as (
    delete from sync_queue.workers where worker_id = %(dead_id)s
)
update sync_queue.handovers set worker_id = %(worker_id)s, process = null
where worker_id = %(dead_id)s
returning run_id
