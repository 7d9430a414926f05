// Package wal is the log of the local engine: opaque records, in order, in numbered segment files of
// one directory, with group commit, a durable watermark, replay, rotation and removal. Records are
// written through Pebble's record.LogWriter, and all files are reached through Pebble's vfs.
//
// # Use
//
// [Open] replays what there is and returns a [Log]. [Log.Append] takes a record and returns at once;
// [Log.Wait] returns when all up to a sequence is as durable as the [Mode] promises; [Log.Throttle],
// called before the caller's locks are taken, bounds what is queued. [Log.Rotate] begins a new segment and
// [Log.Remove] deletes those that are no longer needed. [Replay] only reads; [Salvage] reads what
// can be read of a damaged log.
//
// # What is on disk
//
// A segment is a header (format.go) and chunks in blocks of 32 KiB, as package record writes
// them. These hold between segments, and replay rests on them:
//
//   - A segment's header is on stable storage, and so is its name, before any chunk of it is written.
//   - A header is written only when the segment before it is on stable storage up to the byte
//     that the header names as its end, and closed for good.
//   - So only the last segment can be torn, and one without a whole header holds nothing.
//   - After a replay nothing is appended to a file that was read: a torn end stays, and the next
//     header says how far it was valid.
//
// # What replay tells apart
//
// In all but the last segment, every byte up to the end that the next header names has to check. In
// the last one, records and markers carry promises: "this file is on stable storage up to byte P".
// A place that does not check is corruption if anything valid behind it promises more, else it is
// the torn end that a crash leaves. A clean [Log.Close] ends with a promise for all before it.
//
// What cannot be told from a torn end is damage behind the last promise of the last segment, after
// a crash: to the records of the last sync (or of the last interval, in mode Interval), or the loss
// of any number of records at its end, or of whole segments there. For that the caller keeps
// [Log.Synced] elsewhere and compares it with [Recovery.Last] (and Recovery.Base with what it has,
// for the loss of the oldest segments).
//
// LogWriter has promises of its own (WriteWALSyncOffsets). They are not used: in Pebble 2.1 they
// leave out all full blocks, so they fall behind for good under load, record.Reader looks for them
// in later blocks only, and they cost 8 bytes a chunk. Ours are exact, cost some bytes a sync, and
// reader.go looks at every byte behind the damage.
//
// # Durability
//
// In mode Always a group of records is written and synced (fdatasync) before it counts as durable;
// in mode Interval it is written. A failed write or sync makes the log failed for good: nothing is
// tried again, since after a failed fsync the system may have dropped what was not written.
package wal
