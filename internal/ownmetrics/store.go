package ownmetrics

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"metricd/internal/storage"
)

// Storage returns a collector of the figures of a store. Of one that failed there is only that it did.
func Storage(read func() (storage.Stats, error)) prometheus.Collector {
	return &storeCollector{
		read: read,
		failed: prometheus.NewDesc("metricd_storage_failed",
			"1 after an error that the store can't go on from: it answers nothing any more, and the log says why.", nil, nil),
		table: table[storage.Stats]{figures: storeFigures()},
	}
}

type storeCollector struct {
	read   func() (storage.Stats, error)
	failed *prometheus.Desc
	table  table[storage.Stats] // without its read
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.failed
	c.table.Describe(out)
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(out chan<- prometheus.Metric) {
	st, err := c.read()
	out <- prometheus.MustNewConstMetric(c.failed, prometheus.GaugeValue, indicator(err != nil && !errors.Is(err, storage.ErrClosed)))
	if err != nil {
		return
	}
	now := c.table
	now.read = func() storage.Stats { return st }
	now.Collect(out)
}

// indicator returns 1 for true.
func indicator(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func storeFigures() []figure[storage.Stats] {
	type S = storage.Stats
	return []figure[S]{
		gauge("metricd_storage_series", "Series that exist.", func(s *S) int64 { return s.Series }),
		gauge("metricd_storage_samples", "Samples that are stored.", func(s *S) int64 { return s.Samples }),
		counter("metricd_storage_samples_appended_total", "Samples that were taken, by any protocol.", func(s *S) int64 { return s.Appended }),
		counter("metricd_storage_samples_overwritten_total", "Samples that replaced another of the same time.", func(s *S) int64 { return s.Overwritten }),
		counter("metricd_storage_samples_late_total", "Samples that were older than the newest of their series.", func(s *S) int64 { return s.Late }),
		counter("metricd_storage_samples_refused_total", "Samples that the store refused.", func(s *S) int64 { return s.Refused }),
		gauge("metricd_storage_memory_bytes", "Memory held for series and samples.", func(s *S) int64 { return s.MemoryBytes }),
		gauge("metricd_storage_memory_limit_bytes", "Memory that series and samples may take; near it new series are refused, at it samples.", func(s *S) int64 { return s.MemoryLimit }),
		gauge("metricd_storage_read_only", "1 while nothing is taken since the disk is full.", func(s *S) int64 { return int64(indicator(s.ReadOnly)) }),
		gauge("metricd_storage_disk_bytes", "Chunks on disk.", func(s *S) int64 { return s.Files.DiskBytes }),
		gauge("metricd_storage_disk_free_bytes", "What the server may still write to the disk; 0 without a data directory.", func(s *S) int64 { return s.Files.DiskFree }),
		gauge("metricd_storage_disk_needed_bytes", "Below so many free bytes samples are refused.", func(s *S) int64 { return s.Files.DiskNeeded }),
		gauge("metricd_storage_log_bytes", "The log, which a restart reads.", func(s *S) int64 { return s.Files.LogBytes }),
		counter("metricd_storage_compactions_total", "Compactions of chunks.", func(s *S) int64 { return s.Files.Compactions }),
		counter("metricd_storage_compacted_bytes_total", "Bytes that compactions wrote.", func(s *S) int64 { return s.Files.CompactedBytes }),
		gauge("metricd_storage_cache_bytes", "Chunks kept in memory.", func(s *S) int64 { return s.Files.CacheBytes }),
		counter("metricd_storage_cache_hits_total", "Reads of chunks that were in memory.", func(s *S) int64 { return s.Files.CacheHits }),
		counter("metricd_storage_cache_misses_total", "Reads of chunks that were not.", func(s *S) int64 { return s.Files.CacheMisses }),
		{
			prometheus.NewDesc("metricd_storage_flush_duration_seconds", "How long it took to bring what was in memory and log into chunks.", nil, nil),
			func(s *S, desc *prometheus.Desc, out chan<- prometheus.Metric) {
				out <- prometheus.MustNewConstSummary(desc, uint64(s.Files.Flushes), s.Files.FlushTime.Seconds(), nil)
			},
		},
		{
			prometheus.NewDesc("metricd_storage_log_sync_duration_seconds", "How long it took to make the log durable.", nil, nil),
			func(s *S, desc *prometheus.Desc, out chan<- prometheus.Metric) { out <- syncTimes(&s.Files, desc) },
		},
	}
}

// Kept returns a collector of the figures of the store that a Recorder fills, for who wants to know what that costs.
func Kept(read func() (storage.Stats, error)) prometheus.Collector {
	type S = storage.Stats
	return &table[S]{func() S {
		st, _ := read() // when it is closed, nothing is kept
		return st
	}, []figure[S]{
		gauge("metricd_own_series", "Series of the server's own figures that are kept.", func(s *S) int64 { return s.Series }),
		gauge("metricd_own_memory_bytes", "Memory that they take.", func(s *S) int64 { return s.MemoryBytes }),
		counter("metricd_own_samples_refused_total", "Samples of them that were left out for want of room.", func(s *S) int64 { return s.Refused }),
	}}
}

// syncTimes returns the histogram of how long syncs took.
func syncTimes(st *storage.FileStats, desc *prometheus.Desc) prometheus.Metric {
	within := make(map[float64]uint64, storage.SyncTimes)
	sum := uint64(0)
	for i, n := range st.SyncTimes {
		sum += uint64(n)
		within[storage.SyncBound(i).Seconds()] = sum
	}
	return prometheus.MustNewConstHistogram(desc, max(sum, uint64(st.Syncs)), st.SyncTime.Seconds(), within)
}
