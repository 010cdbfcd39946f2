CREATE SEQUENCE upload_ids;

-- One row an import; the newest one that is not superseded is what its log's name means.
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY DEFAULT nextval('upload_ids'),
    log VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    options VARCHAR NOT NULL,          -- JSON: mapping, time format, zone, treatment of bad rows
    parser_version INTEGER NOT NULL,
    report VARCHAR NOT NULL,           -- JSON of the ImportReport
    superseded BOOLEAN NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL
);

-- Task executions. `row` is the file's row of the completion; end_us is NULL while running.
CREATE TABLE events (
    upload_id INTEGER NOT NULL,
    row BIGINT NOT NULL,
    case_id VARCHAR NOT NULL,
    activity VARCHAR NOT NULL,
    resource VARCHAR,
    start_us BIGINT NOT NULL,
    end_us BIGINT,
    attributes VARCHAR                 -- JSON of the columns that vary within a case
);

CREATE TABLE case_attributes (
    upload_id INTEGER NOT NULL,
    case_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

CREATE TABLE quarantine (
    upload_id INTEGER NOT NULL,
    row BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL               -- JSON of the row as it stood in the file
);

CREATE TABLE models (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    twin VARCHAR NOT NULL,
    notes VARCHAR NOT NULL,
    champion BOOLEAN NOT NULL,
    approved_by VARCHAR,
    approved_at TIMESTAMPTZ,
    PRIMARY KEY (name, version)
);
