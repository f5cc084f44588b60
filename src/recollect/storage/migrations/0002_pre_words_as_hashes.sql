-- What a row is found by comes to the application as bytes and is matched there: see docs/decisions/009.
-- The version before goes on writing `terms`; its rows are taken over once more when they go.

ALTER TABLE memories
    ADD words bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    ADD counts bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    ADD traits smallint NOT NULL DEFAULT 0,
    ADD mentions bytea NOT NULL DEFAULT '',
    ALTER terms DROP NOT NULL,
    NO FORCE ROW LEVEL SECURITY;  -- or else the owner would see no row to change

UPDATE memories SET (words, counts) = (
    SELECT coalesce(string_agg(substr(sha256(convert_to(lexeme, 'UTF8')), 1, 4), '' ORDER BY lexeme), ''),
        coalesce(string_agg(set_byte('\x00', 0, least(cardinality(positions), 255)), '' ORDER BY lexeme), '')
    FROM unnest(terms));

ALTER TABLE memories FORCE ROW LEVEL SECURITY;
