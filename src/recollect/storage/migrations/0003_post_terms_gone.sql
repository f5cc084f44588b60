-- Nobody writes or reads `terms` any more; rows that the version before wrote last are taken over.

ALTER TABLE memories NO FORCE ROW LEVEL SECURITY;

UPDATE memories SET (words, counts) = (
    SELECT coalesce(string_agg(substr(sha256(convert_to(lexeme, 'UTF8')), 1, 4), '' ORDER BY lexeme), ''),
        coalesce(string_agg(set_byte('\x00', 0, least(cardinality(positions), 255)), '' ORDER BY lexeme), '')
    FROM unnest(terms))
WHERE words = '' AND term_count > 0;

ALTER TABLE memories DROP terms, FORCE ROW LEVEL SECURITY;
