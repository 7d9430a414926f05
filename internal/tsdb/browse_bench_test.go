package tsdb

import (
	"fmt"
	"testing"
	"time"

	"metricd/internal/storage"
)

// BenchmarkBrowse asks for pages of 100 over dotted names of series: a hundred groups of hosts with ten metrics each.
// hidden: with a retention, so that each series that is counted is looked at.
func BenchmarkBrowse(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		for _, o := range []Options{{}, {Retention: time.Hour, Now: func() time.Time { return time.UnixMilli(3_600_000) }}} {
			db := mustOpen(b, o)
			app := db.Appender()
			var rows []storage.Row
			for i := range n {
				key := fmt.Sprintf("dc%02d.host%05d.cpu%d.user", i%100, i/1000, i/100%10)
				rows = append(rows, storage.Row{Key: []byte(key), T: int64(i), V: 1})
				if len(rows) == 1000 || i == n-1 {
					if _, err := app.Append(batch(rows...)); err != nil {
						b.Fatal(err)
					}
					rows = rows[:0]
				}
			}
			name := fmt.Sprintf("%d hidden=%v ", n, o.Retention > 0)
			if _, err := db.Children(b.Context(), storage.ChildQuery{Limit: 1}); err != nil {
				b.Fatal(err)
			}
			for _, prefix := range []string{"", "dc07.", "dc07.host00003."} {
				b.Run(name+"level "+prefix, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if found, err := db.Children(b.Context(), storage.ChildQuery{Prefix: prefix, Limit: 100}); err != nil || len(found.List) == 0 {
							b.Fatal(len(found.List), err)
						}
					}
				})
			}
			for _, words := range [][]string{{"cpu7"}, {"HOST00003", "cpu7"}, {"nothing"}} {
				b.Run(name+fmt.Sprint("find ", words), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := db.Find(b.Context(), storage.FindQuery{Words: words, Limit: 100}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
