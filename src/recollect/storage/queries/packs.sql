-- name: packs
-- The names of the packs that the tenant has turned on, in order.
SELECT pack FROM tenant_packs WHERE tenant_id = %(tenant_id)s::uuid ORDER BY pack COLLATE "C"

-- name: turn_on_pack
-- A pack is on; one that was on already stays as it is.
INSERT INTO tenant_packs (tenant_id, pack) VALUES (%(tenant_id)s::uuid, %(pack)s::text)
ON CONFLICT (tenant_id, pack) DO NOTHING

-- name: turn_off_pack
-- A pack is off.
DELETE FROM tenant_packs WHERE tenant_id = %(tenant_id)s::uuid AND pack = %(pack)s::text
