-- Rewrites the whole table. What a row is found by comes to the application as bytes and is matched there: see
-- docs/decisions/009.
-- The version before goes on writing `terms`: a trigger takes over what it says, until they go.

ALTER TABLE memories
    ADD words bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    ADD counts bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    ADD traits smallint NOT NULL DEFAULT 0,
    ADD mentions bytea NOT NULL DEFAULT '',
    ADD features bytea NOT NULL GENERATED ALWAYS AS (
        uuid_send(id) || int8send(hashtextextended(coalesce(session_id, ''), 0)) || timestamptz_send(valid_from)
        || int4send(coalesce(seq, 0)) || int4send(term_count) || int4send(length(words))
        || int4send(length(mentions)) || int2send(traits)
        || int2send(CASE role WHEN 'user' THEN 1 WHEN 'assistant' THEN 2 ELSE 0 END::smallint)) STORED,
    ALTER terms DROP NOT NULL,
    NO FORCE ROW LEVEL SECURITY;  -- or else the owner would see no row to change

CREATE FUNCTION words_of_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(string_agg(substr(sha256(convert_to(lexeme, 'UTF8')), 1, 4), '' ORDER BY lexeme), ''),
        coalesce(string_agg(set_byte('\x00', 0, least(cardinality(positions), 255)), '' ORDER BY lexeme), '')
    INTO NEW.words, NEW.counts
    FROM unnest(NEW.terms);
    RETURN NEW;
END
$$;

CREATE TRIGGER words_of_terms BEFORE INSERT OR UPDATE OF terms ON memories
    FOR EACH ROW WHEN (NEW.terms IS NOT NULL) EXECUTE FUNCTION words_of_terms();

UPDATE memories SET terms = terms;

ALTER TABLE memories FORCE ROW LEVEL SECURITY;
