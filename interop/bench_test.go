package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	promstorage "github.com/prometheus/prometheus/storage"
	promtsdb "github.com/prometheus/prometheus/tsdb"

	"metricd/internal/promql"
	"metricd/internal/storage"
	"metricd/internal/tsdb"
)

// benchStart is when the samples of the benchmarks begin, in milliseconds: the begin of a block of Prometheus.
const benchStart int64 = 1_700_006_400_000

// scrape is the time between two samples of the benchmarks, in milliseconds.
const scrape = 15_000

// load is series that go up by random steps, for so long.
type load struct {
	series int
	length time.Duration
}

// each calls add with each sample, as scrapes would bring them: series after series, then the next time.
func (l load) each(add func(series int, t int64, v float64)) {
	values := make([]float64, l.series)
	rng := rand.New(rand.NewPCG(1, 2))
	for t := benchStart; t < benchStart+l.length.Milliseconds(); t += scrape {
		for i := range values {
			values[i] += float64(rng.IntN(1000)) / 10
			add(i, t, values[i])
		}
	}
}

// host returns the labels of a series: ten to a host.
func host(series int) (host, core string) {
	return fmt.Sprintf("host-%04d", series/10), fmt.Sprint(series % 10)
}

// ofPrometheus returns Prometheus' storage with a load: as it is after a scrape, all in its head, or compacted into blocks.
func (l load) ofPrometheus(b *testing.B, blocks bool) promstorage.Queryable {
	b.Helper()
	o := promtsdb.DefaultOptions()
	db, err := promtsdb.Open(b.TempDir(), nil, nil, o, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.DisableCompactions()
	refs := make([]promstorage.SeriesRef, l.series)
	app := db.Appender(context.Background())
	l.each(func(i int, t int64, v float64) {
		ls := labels.EmptyLabels()
		if refs[i] == 0 {
			host, core := host(i)
			ls = labels.FromStrings(storage.MetricName, "x", "host", host, "core", core)
		}
		ref, err := app.Append(refs[i], ls, t, v)
		if err != nil {
			b.Fatal(err)
		}
		if refs[i] = ref; i == l.series-1 {
			if err := app.Commit(); err != nil {
				b.Fatal(err)
			}
			app = db.Appender(context.Background())
		}
	})
	if err := app.Rollback(); err != nil {
		b.Fatal(err)
	}
	if blocks {
		if err := db.CompactHead(promtsdb.NewRangeHead(db.Head(), benchStart, benchStart+l.length.Milliseconds()-1)); err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// ofMetricd returns a Store with a load: as it is after it was appended, or after a restart with all in chunks on disk.
func (l load) ofMetricd(b *testing.B, o tsdb.Options) promstorage.Queryable {
	b.Helper()
	db := open(b, o)
	app := db.Appender()
	rows := make([]storage.Row, l.series)
	for i := range rows {
		host, core := host(i)
		rows[i].Key = fmt.Appendf(nil, "x;core=%s;host=%s", core, host)
	}
	l.each(func(i int, t int64, v float64) {
		rows[i].T, rows[i].V = t, v
		if i == l.series-1 {
			batch := storage.Batch{Rows: rows}
			if _, err := app.Append(&batch); err != nil || len(batch.Refused) > 0 {
				b.Fatal(err, len(batch.Refused))
			}
		}
	})
	if o.Dir != "" {
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		db = open(b, o)
	}
	return promql.NewQueryable(db)
}

// BenchmarkQuery compares metricd with Prometheus: the same engine in one process, over the same samples, in turn. It reports the
// median of both, and how many times that of Prometheus ours is.
func BenchmarkQuery(b *testing.B) {
	for _, bb := range []struct {
		name   string
		load   load
		expr   string
		blocks bool // whether Prometheus' samples are compacted into a block
	}{
		{"rate", load{10_000, 65 * time.Minute}, "sum by (host) (rate(x[5m]))", false},
		{"day", load{1, 24*time.Hour + 5*time.Minute}, "x", true},
		{"dayrate", load{1, 24*time.Hour + 5*time.Minute}, "rate(x[5m])", true},
	} {
		for _, ours := range []struct {
			name   string
			onDisk bool
		}{{"memory", false}, {"disk", true}} {
			b.Run(bb.name+"/"+ours.name, func(b *testing.B) {
				var o tsdb.Options
				if ours.onDisk {
					o = tsdb.Options{Dir: filepath.Join(b.TempDir(), "data"), SyncInterval: time.Second}
				}
				over := []promstorage.Queryable{bb.load.ofMetricd(b, o), bb.load.ofPrometheus(b, bb.blocks)}
				var took [2][]time.Duration
				for b.Loop() {
					for i, queryable := range over {
						start := time.Now()
						bb.load.query(b, queryable, bb.expr)
						took[i] = append(took[i], time.Since(start))
					}
				}
				mine, theirs := median(took[0]), median(took[1])
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(mine*1000, "ms")
				b.ReportMetric(theirs*1000, "prometheus-ms")
				b.ReportMetric(mine/theirs, "times-prometheus")
			})
		}
	}
}

// query evaluates an expression at each scrape, but for the first five minutes.
func (l load) query(b *testing.B, queryable promstorage.Queryable, expr string) {
	b.Helper()
	start := time.UnixMilli(benchStart + (5 * time.Minute).Milliseconds())
	q, err := benchEngine.NewRangeQuery(context.Background(), queryable, nil, expr, start, start.Add(l.length-5*time.Minute), scrape*time.Millisecond)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	res := q.Exec(context.Background())
	if res.Err != nil || len(res.Value.(prom.Matrix)) != max(1, l.series/10) {
		b.Fatal(res.Err, res.Value)
	}
}

var benchEngine = prom.NewEngine(promql.EngineOptions(promql.Options{}))

// median returns the median of some times in seconds.
func median(took []time.Duration) float64 {
	slices.Sort(took)
	return took[len(took)/2].Seconds()
}
