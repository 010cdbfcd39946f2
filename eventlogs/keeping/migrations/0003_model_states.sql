-- What a version of a twin is now; its text never changes but by a deletion on request.
CREATE TABLE models_before AS SELECT * FROM models;
DROP TABLE models;
CREATE TABLE models (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    twin VARCHAR NOT NULL,
    notes VARCHAR NOT NULL,
    state VARCHAR NOT NULL,            -- built, challenger, champion, retired, rejected
    PRIMARY KEY (name, version)
);
INSERT INTO models
    SELECT name, version, created_at, twin, notes,
        CASE WHEN champion THEN 'champion' WHEN version = 1 OR approved_at IS NOT NULL THEN 'retired' ELSE 'built' END
    FROM models_before;

-- Every change of a version's state, in the order in which they were made.
CREATE SEQUENCE model_change_ids;
CREATE TABLE model_changes (
    id INTEGER NOT NULL DEFAULT nextval('model_change_ids'),
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    action VARCHAR NOT NULL,           -- built, promoted, rolled back, and the states that were set
    state VARCHAR NOT NULL,            -- what it is since
    changed_at TIMESTAMPTZ NOT NULL,
    who VARCHAR NOT NULL,              -- '': nobody knows
    why VARCHAR NOT NULL
);
INSERT INTO model_changes (name, version, action, state, changed_at, who, why)
    SELECT name, version, 'built', CASE WHEN version = 1 THEN 'champion' ELSE 'built' END, created_at, '',
        CASE WHEN version = 1 THEN 'the first version of its name' ELSE '' END
    FROM models_before ORDER BY created_at, name, version;
INSERT INTO model_changes (name, version, action, state, changed_at, who, why)
    SELECT name, version, 'promoted', 'champion', approved_at, coalesce(approved_by, ''), ''
    FROM models_before WHERE approved_at IS NOT NULL ORDER BY approved_at, name, version;
-- Who was champion before: retired when the present one was promoted.
INSERT INTO model_changes (name, version, action, state, changed_at, who, why)
    SELECT m.name, m.version, 'retired', 'retired', c.approved_at, coalesce(c.approved_by, ''),
        c.name || '@' || c.version || ' was promoted'
    FROM models_before m JOIN models_before c ON c.name = m.name AND c.champion AND c.approved_at IS NOT NULL
    WHERE NOT m.champion AND (m.version = 1 OR m.approved_at IS NOT NULL) ORDER BY m.name, m.version;
DROP TABLE models_before;
