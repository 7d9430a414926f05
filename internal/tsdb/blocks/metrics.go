package blocks

// Metrics are figures of a store since it was opened, in bytes where nothing else is said.
type Metrics struct {
	DiskBytes      int64 // tables, those that are about to be deleted included
	Tables         int64 // number
	MemoryBytes    int64 // memtables, committed and not yet in tables
	CacheBytes     int64
	CacheHits      int64 // blocks found in the cache
	CacheMisses    int64 // and not found
	FlushedBytes   int64 // written to tables by flushes
	CompactedBytes int64 // and by compactions; both over what was committed is the write amplification
	Flushes        int64 // number
	Compactions    int64 // number
}

// Metrics returns the figures. It takes some microseconds.
func (s *Store) Metrics() (Metrics, error) {
	if err := s.acquire(); err != nil {
		return Metrics{}, err
	}
	defer s.release()
	p := s.db.Metrics()
	m := Metrics{
		DiskBytes:   int64(p.Table.Local.LiveSize + p.Table.Local.ZombieSize + p.Table.Local.ObsoleteSize),
		MemoryBytes: int64(p.MemTable.Size),
		CacheBytes:  p.BlockCache.Size,
		CacheHits:   p.BlockCache.Hits,
		CacheMisses: p.BlockCache.Misses,
		Flushes:     p.Flush.Count,
		Compactions: p.Compact.Count,
	}
	for _, l := range p.Levels {
		m.Tables += l.TablesCount
		m.FlushedBytes += int64(l.TableBytesFlushed)
		m.CompactedBytes += int64(l.TableBytesCompacted)
	}
	return m, nil
}
