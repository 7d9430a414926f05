package interop

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"

	"metricd/internal/promql"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// inMemory returns an empty store in memory, until the end of the test.
func inMemory(t testing.TB) *tsdb.DB { return open(t, tsdb.Options{}) }

// onDisk returns an empty store on disk that flushes all the time.
func onDisk(t testing.TB) *tsdb.DB {
	return open(t, tsdb.Options{Dir: filepath.Join(t.TempDir(), "data"), FlushLog: 1, FlushHead: 1})
}

func open(t testing.TB, o tsdb.Options) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// ours is a Store as Prometheus' storage, as far as its tests use one.
type ours struct {
	promstorage.Queryable
	store storage.Store
}

var errUnused = errors.New("not part of these tests")

func newOurs(store storage.Store) promstorage.Storage {
	return &ours{promql.NewQueryable(store), store}
}

func (s *ours) ChunkQuerier(int64, int64) (promstorage.ChunkQuerier, error) { return nil, errUnused }
func (s *ours) Appender(context.Context) promstorage.Appender               { return nil }
func (s *ours) StartTime() (int64, error)                                   { return 0, errUnused }
func (s *ours) Close() error                                                { return s.store.Close() }

func (s *ours) AppenderV2(context.Context) promstorage.AppenderV2 {
	return &appender{to: s.store.Appender()}
}

// appender gathers samples until Commit.
type appender struct {
	to    storage.Appender
	batch storage.Batch
}

func (a *appender) Append(_ promstorage.SeriesRef, ls labels.Labels, _, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ promstorage.AppendV2Options) (promstorage.SeriesRef, error) {
	if h != nil || fh != nil {
		return 0, errUnused
	}
	set := make(storage.Labels, 0, ls.Len())
	ls.Range(func(l labels.Label) { set = append(set, storage.Label{Name: l.Name, Value: l.Value}) })
	a.batch.Rows = append(a.batch.Rows, storage.Row{Key: storage.AppendKey(nil, set), T: t, V: v})
	return 0, nil
}

func (a *appender) Commit() error {
	if _, err := a.to.Append(&a.batch); err != nil {
		return err
	}
	if n := len(a.batch.Refused); n > 0 {
		return fmt.Errorf("%d samples refused, the first: %w", n, a.batch.Refused[0].Err)
	}
	return nil
}

func (a *appender) Rollback() error { return nil }

// plain is a storage that drops what no Store has: native histograms and start timestamps.
type plain struct{ promstorage.Storage }

func (s plain) AppenderV2(ctx context.Context) promstorage.AppenderV2 {
	return plainAppender{s.Storage.AppenderV2(ctx)}
}

type plainAppender struct{ promstorage.AppenderV2 }

func (a plainAppender) Append(ref promstorage.SeriesRef, ls labels.Labels, _, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o promstorage.AppendV2Options) (promstorage.SeriesRef, error) {
	if h != nil || fh != nil {
		return ref, nil
	}
	return a.AppenderV2.Append(ref, ls, 0, t, v, nil, nil, o)
}
