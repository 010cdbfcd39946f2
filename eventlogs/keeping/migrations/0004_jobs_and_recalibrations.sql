-- Work to be done by a worker, now or at a time. Several workers may ask; one has the lease of a job.
CREATE SEQUENCE job_ids;
CREATE TABLE jobs (
    id INTEGER NOT NULL DEFAULT nextval('job_ids'),
    key VARCHAR,                       -- no two jobs have the same one; NULL: any number of such jobs
    command VARCHAR NOT NULL,          -- JSON list: the command's words
    state VARCHAR NOT NULL,            -- queued, running, done, failed, cancelled
    due_at TIMESTAMPTZ NOT NULL,       -- not before
    attempts INTEGER NOT NULL,         -- begun so far
    most_attempts INTEGER NOT NULL,
    worker VARCHAR NOT NULL,           -- who has it, or had it last; '': nobody yet
    lease VARCHAR NOT NULL,            -- names this attempt; who doesn't know it may not end it
    lease_until TIMESTAMPTZ,           -- without a heartbeat by then others may take it
    cancelling BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    begun_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    exit_code INTEGER,
    result VARCHAR NOT NULL,           -- what it printed
    message VARCHAR NOT NULL           -- one sentence, where it failed
);

-- What jobs told while they were at work.
CREATE TABLE job_lines (
    job_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    told_at TIMESTAMPTZ NOT NULL,
    line VARCHAR NOT NULL
);

-- Every run of a recalibration that found something new to look at.
CREATE SEQUENCE recalibration_ids;
CREATE TABLE recalibrations (
    id INTEGER NOT NULL DEFAULT nextval('recalibration_ids'),
    twin VARCHAR NOT NULL,
    champion INTEGER NOT NULL,         -- version
    content_hash VARCHAR NOT NULL,     -- of the data that was looked at
    asked VARCHAR NOT NULL,            -- what else decided what came out
    as_of TIMESTAMPTZ NOT NULL,        -- the data's end
    verdict VARCHAR NOT NULL,
    challenger INTEGER,                -- version, where one was kept
    report VARCHAR NOT NULL,           -- JSON
    made_at TIMESTAMPTZ NOT NULL
);
