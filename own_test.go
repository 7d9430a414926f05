package metricd

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"metricd/internal/ownmetrics"
	"metricd/internal/promql"
	"metricd/internal/storage"
)

// TestOwnDay: the figures of a day, taken every 15 seconds, stay small, all of them are there, and those of the day before are not seen.
func TestOwnDay(t *testing.T) {
	records := 5760
	if testing.Short() {
		records /= 8
	}
	w := watch(t, Config{})
	for _, path := range []string{"/write", "/api/v1/write", "/api/v1/import?format=put", "/nowhere"} {
		w.post(path, "x")
	}
	var seen [][]*dto.MetricFamily // these, again and again: to gather takes longer than to keep
	for i := range 100 {
		w.say(strings.Repeat(fmt.Sprintf("put a %d %[1]d\nget a\n", i), i))
		families, err := w.own.figures.Gather()
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, families)
	}
	turn := 0
	again := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		turn++
		return seen[turn%len(seen)], nil
	})
	now := time.Now()
	start := now
	o, err := openOwn(w.Server, "v1", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer o.store.Close()
	r := ownmetrics.NewRecorder(again, o.store, slog.New(slog.DiscardHandler))
	most := int64(0)
	var st storage.Stats
	for i := range records {
		now = start.Add(time.Duration(i)*ownmetrics.Every + time.Duration(i%10)*time.Millisecond) // as tickers are
		if err := r.Record(now); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			if st, err = o.store.Stats(); err != nil {
				t.Fatal(err)
			}
			most = max(most, st.MemoryBytes)
		}
	}
	t.Logf("%d series, %.1f MB at most", st.Series, float64(most)/1e6)
	if st.Refused > 0 || st.Series > 400 || most > 10<<20 {
		t.Errorf("%d series, %d samples refused, %d bytes", st.Series, st.Refused, most)
	}
	build := func() int { return ownSamples(t, o.store, "metricd_build_info") }
	if n := build(); n != records {
		t.Errorf("%d samples of one series, want %d", n, records)
	}
	now = start.Add(ownRetention + 10*ownmetrics.Every)
	if n := build(); n > records-10 || n < records-11 {
		t.Errorf("%d samples after a day, want %d", n, records-10)
	}
}

// ownSamples returns how many samples the series of a name have, which must be whole steps apart.
func ownSamples(t *testing.T, store storage.Store, name string) (n int) {
	t.Helper()
	named, err := storage.NewMatcher(storage.MetricName, storage.MatchEqual, name)
	if err != nil {
		t.Fatal(err)
	}
	set := store.Select(t.Context(), storage.Query{Matchers: []storage.Matcher{named}, Mint: storage.MinTime, Maxt: storage.MaxTime})
	defer set.Close()
	var it storage.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		last := int64(0)
		for it.Next() {
			at, _ := it.At()
			if last != 0 && at != last+ownmetrics.Every.Milliseconds() {
				t.Errorf("%s: a sample at %d, after one at %d", set.At().Key(), at, last)
			}
			last = at
			n++
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return n
}

// TestOwnIsSeenByQueriesOnly: PromQL sees the server's own figures at once, also when somebody else sends samples of that job, and
// nothing else does.
func TestOwnIsSeenByQueriesOnly(t *testing.T) {
	w := watch(t, Config{})
	w.say(fmt.Sprintf("put a 1 1\nput up;job=metricd 7 %d\n", time.Now().Unix()))
	if err := ownmetrics.NewRecorder(w.own.figures, w.own.store, slog.New(slog.DiscardHandler)).Record(time.Now()); err != nil {
		t.Fatal(err)
	}
	e := promql.New(w.store, promql.Options{Own: w.own.store})
	for expr, want := range map[string]string{
		`sum(metricd_requests_total{job="metricd",command="put"})`:                             "{} => 2",
		`count by (job) ({__name__=~"up|metricd_build_info"})`:                                 `{job="metricd"} => 2`,
		`metricd_http_request_duration_seconds_bucket{le="10.0"} or on() count(go_goroutines)`: "{} => 1",
		`count({__name__="go_gc_duration_seconds",quantile="0.0"})`:                            "{} => 1",
	} {
		r, err := e.Instant(t.Context(), expr, time.Now(), promql.QueryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Value.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
		r.Close()
	}
	jobs, err := e.LabelValues(t.Context(), "job", promql.Selection{Mint: storage.MinTime, Maxt: storage.MaxTime})
	if err != nil || !slices.Equal(jobs.Found, []string{"metricd"}) {
		t.Errorf("jobs %q, %v", jobs.Found, err)
	}
	if got := w.say("get *\n"); strings.Count(got, "\n") != 4 || strings.Contains(got, "metricd_") {
		t.Errorf("get * shows %q", got)
	}
	if got := w.say("get metricd_storage_series;job=metricd\n"); got != "ok\n\n" {
		t.Errorf("get shows %q", got)
	}
	if got := w.get("/api/v1/export"); strings.Contains(got, "metricd_") || !strings.Contains(got, "a,1000,1.0") {
		t.Errorf("an export shows %q", got)
	}
	if st, err := w.store.Stats(); err != nil || st.Series != 2 {
		t.Errorf("%d series, %v", st.Series, err)
	}
}

// TestOwnEndsFirst: figures are taken while a server is loaded, asked for and stopped; none is taken after that.
func TestOwnEndsFirst(t *testing.T) {
	w := watch(t, Config{})
	var asking sync.WaitGroup
	for i := range 4 {
		asking.Go(func() {
			for range 20 {
				switch i {
				case 0:
					w.page("")
				case 1:
					w.page("application/openmetrics-text")
				case 2:
					w.say(strings.Repeat("put a 1 1\nget a\nget *\n", 20))
				case 3:
					w.post("/write", "a v=1")
				}
			}
		})
	}
	asking.Wait()
	w.stop()
	<-w.ended
	before, err := w.own.store.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if before.Appended == 0 {
		t.Error("nothing was recorded")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := w.own.store.Stats(); err == nil {
		t.Error("the store of own figures is still open")
	}
}

// TestNoOwnWithoutHTTP: a server that is embedded without HTTP keeps no figures.
func TestNoOwnWithoutHTTP(t *testing.T) {
	s, err := Open(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.own != nil || s.api != nil {
		t.Error("it does")
	}
}
