-- Nobody writes or reads `terms` any more.

DROP TRIGGER words_of_terms ON memories;
DROP FUNCTION words_of_terms();
ALTER TABLE memories DROP terms;
