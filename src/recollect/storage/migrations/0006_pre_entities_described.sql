-- What is known of an entity in a sentence, and anything of a relation: apart from 0005, for whoever forgets takes
-- these tables and then the memories, and would wait for that in a circle.
-- Beside a longer row its vector stays: every search of entities reads them all.
ALTER TABLE entities
    ADD description text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    SET (toast_tuple_target = 8160);
ALTER TABLE relations ADD attributes jsonb NOT NULL DEFAULT '{}';
