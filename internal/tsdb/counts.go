package tsdb

import (
	"context"

	"metricd/internal/storage"
)

var _ storage.LabelCounter = (*DB)(nil)

// LabelCounts implements storage.LabelCounter from the label index.
func (db *DB) LabelCounts(ctx context.Context, visit func(name, value string, series int)) error {
	if err := db.updateIndex(ctx); err != nil {
		return err
	}
	db.labels.Counts(visit)
	return ctx.Err()
}
