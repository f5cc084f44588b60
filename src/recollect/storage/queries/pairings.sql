-- name: relations_of_person
-- What a person's entities are to others ('' stands for nobody's: shared); the newest first.
SELECT {relation_columns}
FROM relations AS r
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.whose = %(whose)s::text AND {holding}
ORDER BY r.valid_from DESC, r.id
LIMIT %(limit)s::integer

-- name: together
-- What stands in groups with these items, in how many of them, and in how many each of both stands. The
-- groups are of two people at least, or one is of this person, or of nobody: the tenant's own.
WITH mine AS MATERIALIZED (
    SELECT DISTINCT r.target_id AS item, r.source_id AS in_group
    FROM relations AS r
    WHERE r.tenant_id = %(tenant_id)s::uuid AND r.target_id = ANY (%(ids)s::uuid[]) AND {holding}
)
SELECT pair.item, pair.other, pair.count,
    (SELECT count(*) FROM mine WHERE mine.item = pair.item) AS of_item,
    (SELECT count(DISTINCT r.source_id) FROM relations AS r
     WHERE r.tenant_id = %(tenant_id)s::uuid AND r.target_id = pair.other AND {holding}) AS of_other
FROM (
    SELECT mine.item, r.target_id AS other, count(DISTINCT mine.in_group) AS count
    FROM mine
    JOIN relations AS r ON r.tenant_id = %(tenant_id)s::uuid AND r.source_id = mine.in_group
    WHERE r.target_id <> mine.item AND {holding}
    GROUP BY mine.item, r.target_id
    HAVING count(DISTINCT r.whose) > 1 OR bool_or(r.whose IN ('', %(whose)s::text))
    ORDER BY count DESC, r.target_id
    LIMIT %(limit)s::integer
) AS pair
